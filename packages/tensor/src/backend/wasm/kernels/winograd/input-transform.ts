import {
  defineFunction,
  type FunctionBuilder,
  type FunctionDefinition,
} from '../../assembler/function.ts';
import { loadF32x4, loadPair } from '../../assembler/loads.ts';
import { loadI32 } from '../../assembler/scalars.ts';
import { transposed4 } from '../../assembler/transpose.ts';
import { sideBySide } from '../../assembler/vectors.ts';
import { COMPONENTS } from './products.ts';
import { TILE_ENTRY, TILE_FIELDS, TILES } from './tiles.ts';
import { INPUT, inputTile, type OutputTile } from './transforms.ts';

/**
 * Numbers of the tiles in the lanes of a vector. Lane i of each part comes from vector i of four that
 * are transposed, so these are the tiles whose rows vector i holds.
 */
function tilesOfVector(f: FunctionBuilder, i: number): number[] {
  return Array.from({ length: f.lanes / 4 }, (_, part) => part * 4 + i);
}

const TRANSFORM_INPUT = {
  source: 'address',
  rowBytes: 'bytes',
  tiles: TILES,
  target: COMPONENTS,
  /** From one panel of tiles to the next. */
  panelBytes: 'bytes',
  temporary: 'address',
} as const;

/**
 * Bᵀ d B of a block of tiles in one channel: first along the rows of the tiles into `temporary`,
 * then along their columns into component[n · n][panel of tiles][channel][tile of the panel], as the
 * micro-kernel reads it.
 */
export function defineInputTransform(m: OutputTile): FunctionDefinition<typeof TRANSFORM_INPUT> {
  const n = inputTile(m);
  return defineFunction(`winogradInput${m}`, TRANSFORM_INPUT, (f, p) => {
    const { rowBytes, tiles, target, panelBytes, temporary } = p;
    const { componentBytes } = target;
    const vectorBytes = f.lanes * 4;
    const sources = Array.from({ length: f.lanes }, () => f.i32());
    const inputs = f.floatsOf(n);
    const results = f.floatsOf(n);
    const pieces = f.floatsOf(4);
    const halves = f.floatsOf(4);
    const row = f.i32();
    const at = f.i32();
    f.for(0, tiles.count, f.lanes, (tile) => {
      sources.forEach((source, lane) => {
        source.set(p.source.plus(loadI32(tiles.address, lane * TILE_ENTRY + TILE_FIELDS.input)));
      });
      tiles.address.set(tiles.address.plus(f.lanes * TILE_ENTRY));
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
        at.set(target.address.plus(column.times(componentBytes)));
        for (const result of results) {
          f.store(at, result);
          at.set(at.plus(componentBytes.times(n)));
        }
        row.set(row.plus(vectorBytes));
      });
      // Two vectors are a panel.
      f.if(
        tile.and(f.lanes),
        () => target.address.set(target.address.plus(panelBytes).minus(vectorBytes)),
        () => target.address.set(target.address.plus(vectorBytes)),
      );
    });
  });
}
