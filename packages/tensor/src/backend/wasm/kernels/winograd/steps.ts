import {
  defineFunction,
  type FunctionBuilder,
  type FunctionDefinition,
  type Local,
} from '../../assembler/function.ts';
import { loadF32x4, loadPair, loadSplat } from '../../assembler/loads.ts';
import { type I32, i32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { transposed4 } from '../../assembler/transpose.ts';
import { type Floats, sideBySide } from '../../assembler/vectors.ts';
import { callMicroKernel, MODE } from '../gemm/micro-kernel.ts';
import { tileOf } from '../gemm/tile.ts';
import { TILE_ENTRY, TILE_FIELDS } from './tiles.ts';
import { INPUT, inputTile, OUTPUT, type OutputTile } from './transforms.ts';

/**
 * Numbers of the tiles in the lanes of a vector. Lane i of each part comes from vector i of four that
 * are transposed, so these are the tiles whose rows vector i holds.
 */
function tilesOfVector(f: FunctionBuilder, i: number): number[] {
  return Array.from({ length: f.lanes / 4 }, (_, part) => part * 4 + i);
}

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
 * then along their columns into component[n · n][panel of tiles][channel][tile of the panel], as the
 * micro-kernel reads it. Channels are the outer loop, so that memory is read in long stretches.
 */
export function defineInputTransform(m: OutputTile): FunctionDefinition<typeof TRANSFORM_INPUT> {
  const n = inputTile(m);
  return defineFunction(`winogradInput${m}`, TRANSFORM_INPUT, (f, p) => {
    const { input, rowBytes, planeBytes, channels, tiles, tileCount, target } = p;
    const { componentBytes, temporary } = p;
    const panelTiles = tileOf(f.features).columns;
    const vectorBytes = f.lanes * 4;
    const sources = Array.from({ length: f.lanes }, () => f.i32());
    const inputs = f.floatsOf(n);
    const results = f.floatsOf(n);
    const pieces = f.floatsOf(4);
    const halves = f.floatsOf(4);
    const row = f.i32();
    const at = f.i32();
    const panelBytes = f.i32(channels.times(panelTiles * 4));
    f.for(0, channels, 1, (channel) => {
      const entry = f.i32(tiles);
      const component = f.i32(target.plus(channel.times(panelTiles * 4)));
      f.for(0, tileCount, f.lanes, (tile) => {
        sources.forEach((source, lane) => {
          source.set(input.plus(loadI32(entry, lane * TILE_ENTRY + TILE_FIELDS.input)));
        });
        entry.set(entry.plus(f.lanes * TILE_ENTRY));
        row.set(temporary);
        f.for(0, n, 1, () => {
          pieces.forEach((piece, i) => {
            piece.set(sideBySide(tilesOfVector(f, i).map((tile) => loadF32x4(sources[tile]))));
          });
          transposed4(pieces, halves).forEach((column, i) => {
            inputs[i].set(column);
          });
          if (m === 4) {
            pieces.forEach((piece, i) => {
              piece.set(sideBySide(tilesOfVector(f, i).map((tile) => loadPair(sources[tile], 16))));
            });
            halves[0].set(pieces[0].shuffle(pieces[1], [0, 4, 1, 5]));
            halves[1].set(pieces[2].shuffle(pieces[3], [0, 4, 1, 5]));
            inputs[4].set(halves[0].shuffle(halves[1], [0, 1, 4, 5]));
            inputs[5].set(halves[0].shuffle(halves[1], [2, 3, 6, 7]));
          }
          INPUT[m](f, inputs, results);
          results.forEach((result, i) => {
            f.store(row, result, i * vectorBytes);
          });
          row.set(row.plus(n * vectorBytes));
          for (const source of sources) source.set(source.plus(rowBytes));
        });
        row.set(temporary);
        f.for(0, n, 1, (column) => {
          inputs.forEach((value, i) => {
            value.set(f.load(row, i * n * vectorBytes));
          });
          INPUT[m](f, inputs, results);
          at.set(component.plus(column.times(componentBytes)));
          for (const result of results) {
            f.store(at, result);
            at.set(at.plus(componentBytes.times(n)));
          }
          row.set(row.plus(vectorBytes));
        });
        // Two vectors are a panel.
        f.if(
          tile.and(f.lanes),
          () => component.set(component.plus(panelBytes).minus(vectorBytes)),
          () => component.set(component.plus(vectorBytes)),
        );
      });
      input.set(input.plus(planeBytes));
    });
  });
}

/** The part of a tile that is inside the output, where that is not all of it. */
const storePartialTile = defineFunction(
  'storePartialTile',
  {
    target: 'i32',
    targetRowBytes: 'i32',
    source: 'i32',
    sourceRowBytes: 'i32',
    rows: 'i32',
    columns: 'i32',
    accumulate: 'i32',
  },
  (f, { target, targetRowBytes, source, sourceRowBytes, rows, columns, accumulate }) => {
    const from = f.i32();
    const to = f.i32();
    f.while(rows, () => {
      from.set(source);
      to.set(target);
      f.for(0, columns, 1, () => {
        f.if(
          accumulate,
          () => f.store(to, loadF32(to).plus(loadF32(from))),
          () => f.store(to, loadF32(from)),
        );
        from.set(from.plus(4));
        to.set(to.plus(4));
      });
      source.set(source.plus(sourceRowBytes));
      target.set(target.plus(targetRowBytes));
      rows.set(rows.minus(1));
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
    const vectorBytes = f.lanes * 4;
    const values = f.floatsOf(n);
    const results = f.floatsOf(4);
    const halves = f.floatsOf(4);
    const biases = f.f32x4();
    f.if(mode.and(MODE.bias), () => biases.set(loadSplat(bias)));
    const component = f.i32();
    const row = f.i32();
    const at = f.i32();
    const outputs = f.f32x4s(m);
    const accumulate = f.i32(mode.and(MODE.accumulate));
    /** Rows of the tiles of a vector: row after row, in each tile after tile. */
    const tileRows = f.i32(temporary.plus(m * n * vectorBytes));
    const tileRowBytes = m * vectorBytes;
    const rowOfTiles = f.i32();
    f.for(0, tileCount, f.lanes, () => {
      component.set(products);
      row.set(temporary);
      f.for(0, n, 1, () => {
        at.set(component);
        for (const value of values) {
          value.set(f.load(at));
          at.set(at.plus(componentBytes.times(n)));
        }
        OUTPUT[m](f, values, results);
        for (let i = 0; i < m; i++) f.store(row, results[i], i * n * vectorBytes);
        row.set(row.plus(vectorBytes));
        component.set(component.plus(componentBytes));
      });
      row.set(temporary);
      rowOfTiles.set(tileRows);
      f.for(0, m, 1, () => {
        values.forEach((value, i) => {
          value.set(f.load(row, i * vectorBytes));
        });
        OUTPUT[m](f, values, results);
        for (let i = 0; i < m; i++) results[i].set(results[i].plus(biases));
        f.if(mode.and(MODE.relu), () => {
          for (let i = 0; i < m; i++) results[i].set(results[i].positivePart());
        });
        storeTileRows(f, m, rowOfTiles, results, halves);
        row.set(row.plus(n * vectorBytes));
        rowOfTiles.set(rowOfTiles.plus(tileRowBytes));
      });
      for (let tile = 0; tile < f.lanes; tile++) {
        const entry = tile * TILE_ENTRY;
        const rows = loadI32(tiles, entry + TILE_FIELDS.rows);
        const columns = loadI32(tiles, entry + TILE_FIELDS.columns);
        const source = tileRowOffset(f, m, tile);
        at.set(target.plus(loadI32(tiles, entry + TILE_FIELDS.output)));
        f.if(
          rows.equals(m).and(columns.equals(m)),
          () => {
            const load = m === 4 ? loadF32x4 : loadPair;
            outputs.forEach((output, y) => {
              output.set(load(tileRows, source + y * tileRowBytes));
            });
            const storeAll = (sum: (output: Floats) => Floats): void => {
              for (const output of outputs) {
                if (m === 4) f.store(at, sum(output));
                else f.storePair(at, sum(output), 0);
                at.set(at.plus(rowBytes));
              }
            };
            f.if(
              accumulate,
              () => storeAll((output) => output.plus(load(at))),
              () => storeAll((output) => output),
            );
          },
          () =>
            f.call(storePartialTile, {
              target: at,
              targetRowBytes: rowBytes,
              source: tileRows.plus(source),
              sourceRowBytes: tileRowBytes,
              rows,
              columns,
              accumulate,
            }),
        );
      }
      tiles.set(tiles.plus(f.lanes * TILE_ENTRY));
      products.set(products.plus(vectorBytes));
    });
  });
}

/** Writes the rows of tiles whose columns are given, m numbers of each tile; see `tileRowOffset`. */
function storeTileRows(
  f: FunctionBuilder,
  m: OutputTile,
  target: I32,
  columns: readonly Local<Floats>[],
  halves: readonly Local<Floats>[],
): void {
  if (m === 4) {
    transposed4(columns, halves).forEach((rows, i) => {
      f.store(target, rows, i * f.lanes * 4);
    });
    return;
  }
  const [left, right] = columns;
  f.store(target, left.shuffle(right, [0, 4, 1, 5]));
  f.store(target, left.shuffle(right, [2, 6, 3, 7]), f.lanes * 4);
}

/** Bytes to the row of a tile: part p of vector i holds that of tile 4 p + i, or of two tiles. */
function tileRowOffset(f: FunctionBuilder, m: OutputTile, tile: number): number {
  const inPart = (tile % 4) * m * 4;
  return Math.floor(inPart / 16) * f.lanes * 4 + (inPart % 16) + Math.floor(tile / 4) * 16;
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
    const tile = tileOf(f.features);
    const rowStride = f.i32(columns.times(4));
    const panelA = f.i32();
    const panelB = f.i32();
    const product = f.i32();
    const rowsLeft = f.i32();
    f.for(0, components, 1, () => {
      panelB.set(b);
      f.for(0, columns, tile.columns, (column) => {
        panelA.set(a);
        product.set(c.plus(column.times(4)));
        f.for(0, rows, tile.rows, (row) => {
          rowsLeft.set(rows.minus(row));
          const call = { a: panelA, b: panelB, k, c: product, rowStride, mode, bias: i32(0) };
          callMicroKernel(f, rowsLeft, call);
          panelA.set(panelA.plus(k.times(tile.rows * 4)));
          product.set(product.plus(rowStride.times(tile.rows)));
        });
        panelB.set(panelB.plus(k.times(tile.columns * 4)));
      });
      a.set(a.plus(aBytes));
      b.set(b.plus(bBytes));
      c.set(c.plus(cBytes));
    });
  },
);
