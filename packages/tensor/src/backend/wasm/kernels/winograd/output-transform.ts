import {
  defineFunction,
  type FunctionBuilder,
  type FunctionDefinition,
} from '../../assembler/function.ts';
import { loadF32x4, loadPair, loadSplat } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import { type I32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { transposed4 } from '../../assembler/transpose.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { ENDING, MODE } from '../../micro-kernel/micro-kernel.ts';
import { COMPONENTS } from './products.ts';
import { TILE_ENTRY, TILE_FIELDS } from './tiles.ts';
import { inputTile, OUTPUT, type OutputTile } from './transforms.ts';

/** The part of a tile that is inside the output, where that is not all of it. */
const storePartialTile = defineFunction(
  'storePartialTile',
  {
    target: 'address',
    targetRowBytes: 'bytes',
    source: 'address',
    sourceRowBytes: 'bytes',
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
  products: COMPONENTS,
  tileCount: 'i32',
  tiles: 'address',
  target: 'address',
  rowBytes: 'bytes',
  ending: ENDING,
  temporary: 'address',
} as const;

/** Aᵀ P A of all tiles of one output channel, with bias, ReLU or addition, into the image. */
export function defineOutputTransform(m: OutputTile): FunctionDefinition<typeof TRANSFORM_OUTPUT> {
  const n = inputTile(m);
  return defineFunction(`winogradOutput${m}`, TRANSFORM_OUTPUT, (f, p) => {
    const { products, tileCount, tiles, target, rowBytes, temporary } = p;
    const { mode, bias } = p.ending;
    const { componentBytes } = products;
    const vectorBytes = f.lanes * 4;
    const values = f.floatsOf(n);
    const results = f.floatsOf(4);
    const halves = f.floatsOf(4);
    const biases = f.f32x4();
    f.if(mode.and(MODE.bias), () => biases.set(loadSplat(bias)));
    const component = f.i32();
    const row = f.i32();
    const at = f.i32();
    const outputs = Array.from({ length: m }, () => f.f32x4());
    const accumulate = f.i32(mode.and(MODE.accumulate));
    /** Rows of the tiles of a vector: row after row, in each tile after tile. */
    const tileRows = f.i32(temporary.plus(m * n * vectorBytes));
    const tileRowBytes = m * vectorBytes;
    const rowOfTiles = f.i32();
    f.for(0, tileCount, f.lanes, () => {
      component.set(products.address);
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
      products.address.set(products.address.plus(vectorBytes));
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
