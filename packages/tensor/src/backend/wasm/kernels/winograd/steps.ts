import { defineFunction, type FunctionDefinition, transposed4 } from '../../assembler/function.ts';
import { i32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { loadF32x4, loadPair, loadSplat } from '../../assembler/vectors.ts';
import { MODE, microKernel, TILE_COLUMNS, TILE_ROWS } from '../gemm/micro-kernel.ts';
import { PANEL_TILES, TILE_ENTRY, TILE_FIELDS } from './tiles.ts';
import { INPUT, inputTile, OUTPUT, type OutputTile } from './transforms.ts';

/** Vectors hold four tiles, one in each lane. */
const LANES = [0, 1, 2, 3] as const;

const TRANSFORM_INPUT = {
  input: 'i32',
  rowBytes: 'i32',
  planeBytes: 'i32',
  channels: 'i32',
  tiles: 'i32',
  tileCount: 'i32',
  target: 'i32',
  componentBytes: 'i32',
  temporary: 'i32',
} as const;

/**
 * Bᵀ d B of a block of tiles in all channels: first along the rows of the tiles into `temporary`,
 * then along their columns into component[n · n][panel of 8 tiles][channel][8], as the micro-kernel
 * reads it. Channels are the outer loop, so that memory is read in long stretches.
 */
export function defineInputTransform(m: OutputTile): FunctionDefinition<typeof TRANSFORM_INPUT> {
  const n = inputTile(m);
  return defineFunction(`winogradInput${m}`, TRANSFORM_INPUT, (f, p) => {
    const { input, rowBytes, planeBytes, channels, tiles, tileCount, target } = p;
    const { componentBytes, temporary } = p;
    const sources = LANES.map(() => f.i32());
    const inputs = f.f32x4s(n);
    const results = f.f32x4s(n);
    const pieces = f.f32x4s(4);
    const halves = f.f32x4s(4);
    const row = f.i32();
    const at = f.i32();
    const panelBytes = f.i32(channels.times(PANEL_TILES * 4));
    f.for(0, channels, 1, (channel) => {
      const entry = f.i32(tiles);
      const component = f.i32(target.plus(channel.times(PANEL_TILES * 4)));
      f.for(0, tileCount, 4, (tile) => {
        sources.forEach((source, lane) => {
          source.set(input.plus(loadI32(entry, lane * TILE_ENTRY + TILE_FIELDS.input)));
        });
        entry.set(entry.plus(4 * TILE_ENTRY));
        row.set(temporary);
        f.for(0, n, 1, () => {
          pieces.forEach((piece, lane) => {
            piece.set(loadF32x4(sources[lane]));
          });
          transposed4(pieces, halves).forEach((column, i) => {
            inputs[i].set(column);
          });
          if (m === 4) {
            pieces.forEach((piece, lane) => {
              piece.set(loadPair(sources[lane], 16));
            });
            halves[0].set(pieces[0].shuffle(pieces[1], [0, 4, 1, 5]));
            halves[1].set(pieces[2].shuffle(pieces[3], [0, 4, 1, 5]));
            inputs[4].set(halves[0].shuffle(halves[1], [0, 1, 4, 5]));
            inputs[5].set(halves[0].shuffle(halves[1], [2, 3, 6, 7]));
          }
          INPUT[m](f, inputs, results);
          results.forEach((result, i) => {
            f.store(row, result, i * 16);
          });
          row.set(row.plus(n * 16));
          for (const source of sources) source.set(source.plus(rowBytes));
        });
        row.set(temporary);
        f.for(0, n, 1, (column) => {
          inputs.forEach((value, i) => {
            value.set(loadF32x4(row, i * n * 16));
          });
          INPUT[m](f, inputs, results);
          at.set(component.plus(column.times(componentBytes)));
          for (const result of results) {
            f.store(at, result);
            at.set(at.plus(componentBytes.times(n)));
          }
          row.set(row.plus(16));
        });
        // Two groups of four tiles are a panel.
        f.if(
          tile.and(4),
          () => component.set(component.plus(panelBytes).minus(16)),
          () => component.set(component.plus(16)),
        );
      });
      input.set(input.plus(planeBytes));
    });
  });
}

/** The part of a tile's row that is inside the output. */
const storePartialRow = defineFunction(
  'storePartialRow',
  { target: 'i32', source: 'i32', count: 'i32', accumulate: 'i32' },
  (f, { target, source, count, accumulate }) => {
    f.while(count.greaterThan(0), () => {
      f.if(
        accumulate,
        () => f.store(target, loadF32(target).plus(loadF32(source))),
        () => f.store(target, loadF32(source)),
      );
      target.set(target.plus(4));
      source.set(source.plus(4));
      count.set(count.minus(1));
    });
  },
);

const TRANSFORM_OUTPUT = {
  products: 'i32',
  componentBytes: 'i32',
  tileCount: 'i32',
  tiles: 'i32',
  target: 'i32',
  rowBytes: 'i32',
  mode: 'i32',
  bias: 'i32',
  temporary: 'i32',
} as const;

/** Aᵀ P A of all tiles of one output channel, with bias, ReLU or addition, into the image. */
export function defineOutputTransform(m: OutputTile): FunctionDefinition<typeof TRANSFORM_OUTPUT> {
  const n = inputTile(m);
  return defineFunction(`winogradOutput${m}`, TRANSFORM_OUTPUT, (f, p) => {
    const { products, componentBytes, tileCount, tiles, target, rowBytes, mode, bias } = p;
    const { temporary } = p;
    const values = f.f32x4s(n);
    const results = f.f32x4s(4);
    const halves = f.f32x4s(4);
    const biases = f.f32x4();
    f.if(mode.and(MODE.bias), () => biases.set(loadSplat(bias)));
    const component = f.i32();
    const row = f.i32();
    const at = f.i32();
    const accumulate = f.i32(mode.and(MODE.accumulate));
    f.for(0, tileCount, 4, () => {
      component.set(products);
      row.set(temporary);
      f.for(0, n, 1, () => {
        at.set(component);
        for (const value of values) {
          value.set(loadF32x4(at));
          at.set(at.plus(componentBytes.times(n)));
        }
        OUTPUT[m](f, values, results);
        for (let i = 0; i < m; i++) f.store(row, results[i], i * n * 16);
        row.set(row.plus(16));
        component.set(component.plus(componentBytes));
      });
      row.set(temporary);
      f.for(0, m, 1, (y) => {
        values.forEach((value, i) => {
          value.set(loadF32x4(row, i * 16));
        });
        OUTPUT[m](f, values, results);
        for (let i = 0; i < m; i++) results[i].set(results[i].plus(biases));
        f.if(mode.and(MODE.relu), () => {
          for (let i = 0; i < m; i++) results[i].set(results[i].positivePart());
        });
        if (m === 4) {
          transposed4(results, halves).forEach((tileRow, lane) => {
            values[lane].set(tileRow);
          });
        } else {
          // Tiles 0 and 1 share a vector, and tiles 2 and 3.
          const [low, high] = results;
          values[0].set(low.shuffle(high, [0, 4, 1, 5]));
          values[1].set(values[0].shuffle(values[0], [2, 3, 2, 3]));
          values[2].set(low.shuffle(high, [2, 6, 3, 7]));
          values[3].set(values[2].shuffle(values[2], [2, 3, 2, 3]));
        }
        LANES.forEach((lane) => {
          const entry = lane * TILE_ENTRY;
          const value = values[lane];
          f.if(loadI32(tiles, entry + TILE_FIELDS.rows).greaterThan(y), () => {
            at.set(target.plus(loadI32(tiles, entry + TILE_FIELDS.output)).plus(y.times(rowBytes)));
            f.if(
              loadI32(tiles, entry + TILE_FIELDS.columns).equals(m),
              () => {
                f.if(accumulate, () => {
                  value.set(value.plus(m === 4 ? loadF32x4(at) : loadPair(at)));
                });
                if (m === 4) f.store(at, value);
                else f.storePair(at, value, 0);
              },
              () => {
                const rest = f.i32(temporary.plus(n * n * 16));
                f.store(rest, value);
                const count = loadI32(tiles, entry + TILE_FIELDS.columns);
                f.call(storePartialRow, { target: at, source: rest, count, accumulate });
              },
            );
          });
        });
        row.set(row.plus(n * 16));
      });
      tiles.set(tiles.plus(4 * TILE_ENTRY));
      products.set(products.plus(16));
    });
  });
}

/** The product of each component: rows × columns, both packed. */
export const multiplyComponents = defineFunction(
  'winogradProducts',
  {
    components: 'i32',
    a: 'i32',
    aBytes: 'i32',
    b: 'i32',
    bBytes: 'i32',
    k: 'i32',
    rows: 'i32',
    columns: 'i32',
    c: 'i32',
    cBytes: 'i32',
    mode: 'i32',
  },
  (f, { components, a, aBytes, b, bBytes, k, rows, columns, c, cBytes, mode }) => {
    const rowStride = f.i32(columns.times(4));
    const panelA = f.i32();
    const panelB = f.i32();
    const product = f.i32();
    f.for(0, components, 1, () => {
      panelB.set(b);
      f.for(0, columns, TILE_COLUMNS, (column) => {
        panelA.set(a);
        product.set(c.plus(column.times(4)));
        f.for(0, rows, TILE_ROWS, () => {
          const call = {
            a: panelA,
            b: panelB,
            k,
            c: product,
            rowStride,
            mode,
            bias: i32(0),
          };
          f.call(microKernel, call);
          panelA.set(panelA.plus(k.times(TILE_ROWS * 4)));
          product.set(product.plus(rowStride.times(TILE_ROWS)));
        });
        panelB.set(panelB.plus(k.times(TILE_COLUMNS * 4)));
      });
      a.set(a.plus(aBytes));
      b.set(b.plus(bBytes));
      c.set(c.plus(cBytes));
    });
  },
);
