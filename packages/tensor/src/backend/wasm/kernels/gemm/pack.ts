import {
  defineFunction,
  type FunctionBuilder,
  type FunctionDefinition,
} from '../../assembler/function.ts';
import { loadEverySecond, loadF32x4, loadFloats } from '../../assembler/loads.ts';
import { type I32, loadF32 } from '../../assembler/scalars.ts';
import { transposed4 } from '../../assembler/transpose.ts';
import { type Floats, sideBySide } from '../../assembler/vectors.ts';
import { tileOf } from '../../micro-kernel/tile.ts';
import { areEverySecond, areNeighbours, ENTRY_BYTES, loadOffset, loadRun } from './offset-table.ts';

/**
 * Packing copies an operand into panels, in the order in which the micro-kernel reads it:
 * panel[k][0 … width − 1] for `width` neighbouring lines (rows of A, columns of B).
 *
 * Where element (k, line) lies is given by two tables of offsets, `source + kOffsets[k] +
 * lineOffsets[line]`. So one pair of functions packs matrices either way round, and packs
 * convolutions straight from the image: there k is a tap of the kernel and a line is a pixel, or
 * the other way round. Vectors are loaded where the tables say that the elements lie evenly.
 */
const PACK = {
  source: 'address',
  kOffsets: 'address',
  k: 'i32',
  lineOffsets: 'address',
  lines: 'i32',
  packed: 'address',
} as const;
type Pack = FunctionDefinition<typeof PACK>;

/** Numbers that are loaded at once for a panel of `width` lines. */
function lanesFor(f: FunctionBuilder, width: number): number {
  return width % f.lanes === 0 ? f.lanes : 4;
}

/** Writes `width` numbers by vectors; the last may overlap the one before. */
function storeLine(
  f: FunctionBuilder,
  target: I32,
  width: number,
  load: (first: number, lanes: number) => Floats,
): void {
  const lanes = lanesFor(f, width);
  for (let j = 0; j < width; j += lanes) {
    const first = Math.min(j, width - lanes);
    f.store(target, load(first, lanes), first * 4);
  }
}

/**
 * The address of line `j` of a panel, or of its last one where the operand has no more: that part of
 * the panel is never used, but read, and a table may go on with lines of images that do not exist.
 */
function lineAddress(
  { source, lineOffsets }: { source: I32; lineOffsets: I32 },
  last: I32,
  j: number,
): I32 {
  const within = last.min(j);
  return source.plus(loadOffset(lineOffsets.plus(within.times(ENTRY_BYTES))));
}

/** Whose lines are packed: rows of A, or columns of B, and as many together as a tile has. */
type Side = 'rows' | 'columns';

/**
 * For operands whose lines are neighbours in memory. One long run of lines is copied k by k, so that
 * memory is read in long stretches; otherwise panel by panel, each by the way its lines lie.
 */
function packAcrossLines(side: Side): Pack {
  return defineFunction(`pack${side}AcrossLines`, PACK, (f, p) => {
    const { source, kOffsets, k, lineOffsets, lines, packed } = p;
    const width = tileOf(f.features)[side];
    const line = Array.from({ length: width }, () => f.i32());
    const tap = f.i32(kOffsets);
    const end = f.i32(kOffsets.plus(k.times(ENTRY_BYTES)));
    const at = f.i32();
    const panels = f.i32(lines.plus(width - 1).dividedBy(width));
    const last = f.i32(lines.minus(1));
    const panelBytes = f.i32(k.times(width * 4));
    const forTaps = (body: () => void): void => {
      tap.set(kOffsets);
      f.doWhile(() => {
        body();
        packed.set(packed.plus(width * 4));
        tap.set(tap.plus(ENTRY_BYTES));
      }, tap.notEquals(end));
    };
    const copyLine = (target: I32): void =>
      storeLine(f, target, width, (first, lanes) => loadFloats(at, first * 4, lanes));
    f.if(
      areNeighbours(loadRun(lineOffsets), lines),
      () => {
        const to = f.i32();
        const rest = f.i32();
        const first = f.i32(source.plus(loadOffset(lineOffsets)));
        forTaps(() => {
          at.set(first.plus(loadOffset(tap)));
          to.set(packed);
          rest.set(panels);
          f.doWhile(() => {
            copyLine(to);
            at.set(at.plus(width * 4));
            to.set(to.plus(panelBytes));
            rest.set(rest.minus(1));
          }, rest);
        });
      },
      () =>
        f.doWhile(() => {
          line.forEach((address, j) => {
            address.set(lineAddress(p, last, j));
          });
          const run = f.i32(loadRun(lineOffsets));
          f.if(
            areNeighbours(run, width),
            () =>
              forTaps(() => {
                at.set(line[0].plus(loadOffset(tap)));
                copyLine(packed);
              }),
            () =>
              f.if(
                areEverySecond(run, width),
                () =>
                  forTaps(() => {
                    at.set(line[0].plus(loadOffset(tap)));
                    storeLine(f, packed, width, (first, lanes) =>
                      loadEverySecond(at, first * 8, lanes),
                    );
                  }),
                () =>
                  forTaps(() => {
                    at.set(loadOffset(tap));
                    line.forEach((address, j) => {
                      f.store(packed, loadF32(at.plus(address)), j * 4);
                    });
                  }),
              ),
          );
          lineOffsets.set(lineOffsets.plus(width * ENTRY_BYTES));
          last.set(last.minus(width));
          panels.set(panels.minus(1));
        }, panels),
    );
  });
}

/** For operands whose k are neighbours in memory: four k at a time are loaded and transposed. */
function packAlongLines(side: Side): Pack {
  return defineFunction(`pack${side}AlongLines`, PACK, (f, p) => {
    const { kOffsets, k, lineOffsets, packed } = p;
    const width = tileOf(f.features)[side];
    const lanes = lanesFor(f, width);
    const panels = f.i32(p.lines.plus(width - 1).dividedBy(width));
    const last = f.i32(p.lines.minus(1));
    const lines = Array.from({ length: width }, () => f.i32());
    const kAt = f.i32();
    const rest = f.i32();
    const at = f.i32();
    const run = f.i32();
    const vectors = [0, 1, 2, 3].map(() => (lanes === 4 ? f.f32x4() : f.floats()));
    const halves = vectors.map((vector) => f.floatsLike(vector));
    f.doWhile(() => {
      lines.forEach((line, j) => {
        line.set(lineAddress(p, last, j));
      });
      kAt.set(kOffsets);
      rest.set(k);
      f.doWhile(() => {
        at.set(loadOffset(kAt));
        run.set(loadRun(kAt));
        const transposeFour = (load: (address: I32) => Floats): void => {
          for (let j = 0; j + 4 <= width; j += lanes) {
            vectors.forEach((vector, i) => {
              const parts = lines.slice(j, j + lanes).filter((_, line) => line % 4 === i);
              vector.set(sideBySide(parts.map((line) => load(at.plus(line)))));
            });
            transposed4(vectors, halves).forEach((vector, i) => {
              f.store(packed, vector, (i * width + j) * 4);
            });
          }
          if (width % 4 === 2) {
            const j = width - 2;
            const [a, b] = vectors;
            a.set(load(at.plus(lines[j])));
            b.set(load(at.plus(lines[j + 1])));
            halves[0].set(a.shuffle(b, [0, 4, 1, 5]));
            halves[1].set(a.shuffle(b, [2, 6, 3, 7]));
            for (const i of [0, 1, 2, 3]) {
              f.storePair(packed, halves[i >> 1], i % 2 === 0 ? 0 : 1, (i * width + j) * 4);
            }
          }
          packed.set(packed.plus(width * 16));
          kAt.set(kAt.plus(4 * ENTRY_BYTES));
          rest.set(rest.minus(4));
        };
        f.if(
          rest.atLeast(4).and(areNeighbours(run, 4).plus(areEverySecond(run, 4))),
          () =>
            f.if(
              areNeighbours(run, 4),
              () => transposeFour((address) => loadF32x4(address)),
              () => transposeFour((address) => loadEverySecond(address, 0, 4)),
            ),
          () => {
            lines.forEach((line, j) => {
              f.store(packed, loadF32(at.plus(line)), j * 4);
            });
            packed.set(packed.plus(width * 4));
            kAt.set(kAt.plus(ENTRY_BYTES));
            rest.set(rest.minus(1));
          },
        );
      }, rest);
      lineOffsets.set(lineOffsets.plus(width * ENTRY_BYTES));
      last.set(last.minus(width));
      panels.set(panels.minus(1));
    }, panels);
  });
}

export const packRows = { across: packAcrossLines('rows'), along: packAlongLines('rows') };
export const packColumns = {
  across: packAcrossLines('columns'),
  along: packAlongLines('columns'),
};
