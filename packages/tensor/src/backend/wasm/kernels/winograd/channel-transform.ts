import { defineFunction, type FunctionDefinition } from '../../assembler/function.ts';
import { loadF32x4, loadPair } from '../../assembler/loads.ts';
import { type I32, loadI32 } from '../../assembler/scalars.ts';
import { transposed4 } from '../../assembler/transpose.ts';
import { type Floats, sideBySide } from '../../assembler/vectors.ts';
import { TILE_ENTRY, TILE_FIELDS, TILES } from './tiles.ts';
import { GRADIENT, INPUT, inputTile, type OutputTile } from './transforms.ts';

const TRANSFORM = {
  source: 'address',
  planeBytes: 'bytes',
  /** From the first plane to the last. */
  lastPlane: 'bytes',
  rowBytes: 'bytes',
  tiles: TILES,
  target: 'address',
  tileBytes: 'bytes',
  componentBytes: 'bytes',
  temporary: 'address',
} as const;

/**
 * Transforms as many channels as a vector has lanes, of all tiles of a block, into
 * component[n · n][tile][channel], tiles `tileBytes` apart. Where a tile has room for fewer channels,
 * the next tile overwrites those that are too many. Channels behind the last are computed like the
 * last; nobody reads them.
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
    const { source, planeBytes, lastPlane, rowBytes, tiles, target } = p;
    const { tileBytes, componentBytes, temporary } = p;
    const vectorBytes = f.lanes * 4;
    const planes = Array.from({ length: f.lanes }, (_, lane) => {
      const offset = f.i32(planeBytes.times(lane));
      return f.i32(source.plus(offset.min(lastPlane)));
    });
    /** Rows of a tile in every fourth channel: those that come together when transposed. */
    const rowsOf = (i: number, load: (row: I32) => Floats): Floats =>
      sideBySide(
        planes.filter((_, lane) => lane % 4 === i).map((plane) => load(plane.plus(offset))),
      );
    const values = f.floatsOf(size);
    const results = f.floatsOf(n);
    const pieces = f.floatsOf(4);
    const halves = f.floatsOf(4);
    const offset = f.i32();
    const row = f.i32();
    const at = f.i32();
    f.for(0, tiles.count, 1, () => {
      offset.set(loadI32(tiles.address, field));
      row.set(temporary);
      f.for(0, size, 1, () => {
        pieces.forEach((piece, i) => {
          piece.set(rowsOf(i, (row) => (size === 2 ? loadPair(row) : loadF32x4(row))));
        });
        const columns = transposed4(pieces, halves);
        for (let i = 0; i < Math.min(4, size); i++) values[i].set(columns[i]);
        if (size === 6) {
          pieces.forEach((piece, i) => {
            piece.set(rowsOf(i, (row) => loadPair(row, 16)));
          });
          halves[0].set(pieces[0].shuffle(pieces[1], [0, 4, 1, 5]));
          halves[1].set(pieces[2].shuffle(pieces[3], [0, 4, 1, 5]));
          values[4].set(halves[0].shuffle(halves[1], [0, 1, 4, 5]));
          values[5].set(halves[0].shuffle(halves[1], [2, 3, 6, 7]));
        }
        transform(f, values, results);
        results.forEach((result, i) => {
          f.store(row, result, i * vectorBytes);
        });
        row.set(row.plus(n * vectorBytes));
        offset.set(offset.plus(rowBytes));
      });
      row.set(temporary);
      f.for(0, n, 1, (column) => {
        values.forEach((value, i) => {
          value.set(f.load(row, i * n * vectorBytes));
        });
        transform(f, values, results);
        at.set(target.plus(column.times(componentBytes)));
        for (const result of results) {
          f.store(at, result);
          at.set(at.plus(componentBytes.times(n)));
        }
        row.set(row.plus(vectorBytes));
      });
      target.set(target.plus(tileBytes));
      tiles.address.set(tiles.address.plus(TILE_ENTRY));
    });
  });
}
