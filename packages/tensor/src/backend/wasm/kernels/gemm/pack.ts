import { defineFunction, type FunctionDefinition, transposed4 } from '../../assembler/function.ts';
import { type I32, loadF32 } from '../../assembler/scalars.ts';
import { type F32x4, loadF32x4 } from '../../assembler/vectors.ts';
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
  source: 'i32',
  kOffsets: 'i32',
  k: 'i32',
  lineOffsets: 'i32',
  lines: 'i32',
  packed: 'i32',
} as const;
type Pack = FunctionDefinition<typeof PACK>;

/** Four numbers of which each is the second after the one before, as under windows of stride 2. */
function loadEverySecond(address: I32, offset: number): F32x4 {
  return loadF32x4(address, offset).shuffle(loadF32x4(address, offset + 16), [0, 2, 4, 6]);
}

/**
 * For operands whose lines are neighbours in memory. One long run of lines is copied k by k, so that
 * memory is read in long stretches; otherwise panel by panel, each by the way its lines lie.
 */
function packAcrossLines(width: 4 | 8): Pack {
  return defineFunction(`packAcrossLines${width}`, PACK, (f, p) => {
    const { source, kOffsets, k, lineOffsets, lines, packed } = p;
    const line = Array.from({ length: width }, () => f.i32());
    const tap = f.i32(kOffsets);
    const end = f.i32(kOffsets.plus(k.times(ENTRY_BYTES)));
    const at = f.i32();
    const panels = f.i32(lines.plus(width - 1).dividedBy(width));
    const panelBytes = f.i32(k.times(width * 4));
    const forTaps = (body: () => void): void => {
      tap.set(kOffsets);
      f.doWhile(() => {
        body();
        packed.set(packed.plus(width * 4));
        tap.set(tap.plus(ENTRY_BYTES));
      }, tap.notEquals(end));
    };
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
            for (let j = 0; j < width; j += 4) f.store(to, loadF32x4(at, j * 4), j * 4);
            at.set(at.plus(width * 4));
            to.set(to.plus(panelBytes));
            rest.set(rest.minus(1));
          }, rest);
        });
      },
      () =>
        f.doWhile(() => {
          line.forEach((address, j) => {
            address.set(source.plus(loadOffset(lineOffsets, j)));
          });
          const run = f.i32(loadRun(lineOffsets));
          f.if(
            areNeighbours(run, width),
            () =>
              forTaps(() => {
                at.set(line[0].plus(loadOffset(tap)));
                for (let j = 0; j < width; j += 4) f.store(packed, loadF32x4(at, j * 4), j * 4);
              }),
            () =>
              f.if(
                areEverySecond(run, width),
                () =>
                  forTaps(() => {
                    at.set(line[0].plus(loadOffset(tap)));
                    for (let j = 0; j < width; j += 4) {
                      f.store(packed, loadEverySecond(at, j * 8), j * 4);
                    }
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
          panels.set(panels.minus(1));
        }, panels),
    );
  });
}

/** For operands whose k are neighbours in memory: four k at a time are loaded and transposed. */
function packAlongLines(width: 4 | 8): Pack {
  return defineFunction(`packAlongLines${width}`, PACK, (f, p) => {
    const { source, kOffsets, k, lineOffsets, packed } = p;
    const panels = f.i32(p.lines.plus(width - 1).dividedBy(width));
    const lines = Array.from({ length: width }, () => f.i32());
    const kAt = f.i32();
    const rest = f.i32();
    const at = f.i32();
    const run = f.i32();
    const [a, b, c, d] = f.f32x4s(4);
    const halves = f.f32x4s(4);
    f.doWhile(() => {
      lines.forEach((line, j) => {
        line.set(source.plus(loadOffset(lineOffsets, j)));
      });
      kAt.set(kOffsets);
      rest.set(k);
      f.doWhile(() => {
        at.set(loadOffset(kAt));
        run.set(loadRun(kAt));
        const transposeFour = (load: (address: I32) => F32x4): void => {
          for (let j = 0; j < width; j += 4) {
            [a, b, c, d].forEach((vector, i) => {
              vector.set(load(at.plus(lines[j + i])));
            });
            transposed4([a, b, c, d], halves).forEach((vector, i) => {
              f.store(packed, vector, (i * width + j) * 4);
            });
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
              () => transposeFour((address) => loadEverySecond(address, 0)),
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
      panels.set(panels.minus(1));
    }, panels);
  });
}

export const packAcrossLines4 = packAcrossLines(4);
export const packAcrossLines8 = packAcrossLines(8);
export const packAlongLines4 = packAlongLines(4);
export const packAlongLines8 = packAlongLines(8);
