import { defineFunction, type FunctionDefinition, transposed4 } from '../../assembler/function.ts';
import { loadF32, loadI32 } from '../../assembler/scalars.ts';
import { loadF32x4 } from '../../assembler/vectors.ts';

/**
 * Packing copies an operand into panels, in the order in which the micro-kernel reads it:
 * panel[k][0 … width − 1] for `width` neighbouring lines (rows of A, columns of B).
 *
 * Where element (k, line) lies is given by two tables of byte offsets, `source + kOffsets[k] +
 * lineOffsets[line]`. So one pair of functions packs matrices either way round, and packs
 * convolutions straight from the image: there k is a tap of the kernel and a line is a pixel, or
 * the other way round. `lineOffsets` is as long as whole panels need.
 */
const PACK = {
  source: 'i32',
  kOffsets: 'i32',
  k: 'i32',
  lineOffsets: 'i32',
  panels: 'i32',
  packed: 'i32',
} as const;
type Pack = FunctionDefinition<typeof PACK>;

/** For operands whose lines are neighbours in memory; other panels are gathered one by one. */
function packAcrossLines(width: 4 | 8): Pack {
  return defineFunction(`packAcrossLines${width}`, PACK, (f, p) => {
    const { source, kOffsets, k, lineOffsets, panels, packed } = p;
    const lines = Array.from({ length: width }, () => f.i32());
    const tap = f.i32();
    const end = f.i32(kOffsets.plus(k.times(4)));
    const at = f.i32();
    f.doWhile(() => {
      lines.forEach((line, j) => {
        line.set(source.plus(loadI32(lineOffsets, j * 4)));
      });
      tap.set(kOffsets);
      f.if(
        lines[width - 1].minus(lines[0]).equals((width - 1) * 4),
        () =>
          f.doWhile(() => {
            at.set(lines[0].plus(loadI32(tap)));
            for (let j = 0; j < width; j += 4) f.store(packed, loadF32x4(at, j * 4), j * 4);
            packed.set(packed.plus(width * 4));
            tap.set(tap.plus(4));
          }, tap.notEquals(end)),
        () =>
          f.doWhile(() => {
            at.set(loadI32(tap));
            lines.forEach((line, j) => {
              f.store(packed, loadF32(at.plus(line)), j * 4);
            });
            packed.set(packed.plus(width * 4));
            tap.set(tap.plus(4));
          }, tap.notEquals(end)),
      );
      lineOffsets.set(lineOffsets.plus(width * 4));
      panels.set(panels.minus(1));
    }, panels);
  });
}

/** For operands whose k are neighbours in memory: four k at a time are loaded and transposed. */
function packAlongLines(width: 4 | 8): Pack {
  return defineFunction(`packAlongLines${width}`, PACK, (f, p) => {
    const { source, kOffsets, k, lineOffsets, panels, packed } = p;
    const lines = Array.from({ length: width }, () => f.i32());
    const kAt = f.i32();
    const rest = f.i32();
    const at = f.i32();
    const [a, b, c, d] = f.f32x4s(4);
    const halves = f.f32x4s(4);
    f.doWhile(() => {
      lines.forEach((line, j) => {
        line.set(source.plus(loadI32(lineOffsets, j * 4)));
      });
      kAt.set(kOffsets);
      rest.set(k);
      f.doWhile(() => {
        at.set(loadI32(kAt));
        f.if(
          // Without the first test the second might read behind the table.
          rest.greaterThan(3).and(loadI32(kAt, 12).minus(at).equals(12)),
          () => {
            for (let j = 0; j < width; j += 4) {
              [a, b, c, d].forEach((vector, i) => {
                vector.set(loadF32x4(at.plus(lines[j + i])));
              });
              transposed4([a, b, c, d], halves).forEach((vector, i) => {
                f.store(packed, vector, (i * width + j) * 4);
              });
            }
            packed.set(packed.plus(width * 16));
            kAt.set(kAt.plus(16));
            rest.set(rest.minus(4));
          },
          () => {
            lines.forEach((line, j) => {
              f.store(packed, loadF32(at.plus(line)), j * 4);
            });
            packed.set(packed.plus(width * 4));
            kAt.set(kAt.plus(4));
            rest.set(rest.minus(1));
          },
        );
      }, rest);
      lineOffsets.set(lineOffsets.plus(width * 4));
      panels.set(panels.minus(1));
    }, panels);
  });
}

export const packAcrossLines4 = packAcrossLines(4);
export const packAcrossLines8 = packAcrossLines(8);
export const packAlongLines4 = packAlongLines(4);
export const packAlongLines8 = packAlongLines(8);
