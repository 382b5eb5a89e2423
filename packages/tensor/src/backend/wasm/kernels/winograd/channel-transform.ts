import { defineFunction, type FunctionDefinition, transposed4 } from '../../assembler/function.ts';
import { loadI32 } from '../../assembler/scalars.ts';
import { loadF32x4, loadPair } from '../../assembler/vectors.ts';
import { TILE_ENTRY, TILE_FIELDS } from './tiles.ts';
import { GRADIENT, INPUT, inputTile, type OutputTile } from './transforms.ts';

const TRANSFORM = {
  source: 'i32',
  planeBytes: 'i32',
  lastPlane: 'i32',
  rowBytes: 'i32',
  tiles: 'i32',
  tileCount: 'i32',
  target: 'i32',
  tileBytes: 'i32',
  componentBytes: 'i32',
  temporary: 'i32',
} as const;

/**
 * Transforms four channels of all tiles of a block into component[n · n][tile][four channels], tiles
 * `tileBytes` apart. Channels behind the last are computed like the last; nobody reads them.
 */
export function defineChannelTransform(
  m: OutputTile,
  kind: 'input' | 'gradient',
): FunctionDefinition<typeof TRANSFORM> {
  const n = inputTile(m);
  const size = kind === 'input' ? n : m;
  const transform = kind === 'input' ? INPUT[m] : GRADIENT[m];
  const field = kind === 'input' ? TILE_FIELDS.input : TILE_FIELDS.output;
  return defineFunction(`winogradChannels${m}${kind}`, TRANSFORM, (f, p) => {
    const { source, planeBytes, lastPlane, rowBytes, tiles, tileCount, target } = p;
    const { tileBytes, componentBytes, temporary } = p;
    const planes = [0, 1, 2, 3].map((lane) => {
      const offset = f.i32(planeBytes.times(lane));
      return f.i32(source.plus(offset.min(lastPlane)));
    });
    const values = f.f32x4s(size);
    const results = f.f32x4s(n);
    const pieces = f.f32x4s(4);
    const halves = f.f32x4s(4);
    const offset = f.i32();
    const row = f.i32();
    const at = f.i32();
    f.for(0, tileCount, 1, () => {
      offset.set(loadI32(tiles, field));
      row.set(temporary);
      f.for(0, size, 1, () => {
        pieces.forEach((piece, lane) => {
          const address = planes[lane].plus(offset);
          piece.set(size === 2 ? loadPair(address) : loadF32x4(address));
        });
        const columns = transposed4(pieces, halves);
        for (let i = 0; i < Math.min(4, size); i++) values[i].set(columns[i]);
        if (size === 6) {
          pieces.forEach((piece, lane) => {
            piece.set(loadPair(planes[lane].plus(offset), 16));
          });
          halves[0].set(pieces[0].shuffle(pieces[1], [0, 4, 1, 5]));
          halves[1].set(pieces[2].shuffle(pieces[3], [0, 4, 1, 5]));
          values[4].set(halves[0].shuffle(halves[1], [0, 1, 4, 5]));
          values[5].set(halves[0].shuffle(halves[1], [2, 3, 6, 7]));
        }
        transform(f, values, results);
        results.forEach((result, i) => {
          f.store(row, result, i * 16);
        });
        row.set(row.plus(n * 16));
        offset.set(offset.plus(rowBytes));
      });
      row.set(temporary);
      f.for(0, n, 1, (column) => {
        values.forEach((value, i) => {
          value.set(loadF32x4(row, i * n * 16));
        });
        transform(f, values, results);
        at.set(target.plus(column.times(componentBytes)));
        for (const result of results) {
          f.store(at, result);
          at.set(at.plus(componentBytes.times(n)));
        }
        row.set(row.plus(16));
      });
      target.set(target.plus(tileBytes));
      tiles.set(tiles.plus(TILE_ENTRY));
    });
  });
}
