import { defineFunction } from '../../assembler/function.ts';
import type { I32 } from '../../assembler/scalars.ts';
import { fillRow } from '../loops/rows.ts';
import { copyHalfRows, copyMaskedRows, copyRows, copySteps } from './rows.ts';

/**
 * Planes of some images with zeros around them in a thread's memory, where they are in the first cache:
 * split into strideHeight · strideWidth pieces by the remainders of a pixel's row and column, so that
 * what neighbouring windows read are neighbours for every stride. In each piece the images lie one below
 * the other, so that small ones are computed as a tall one.
 */
export const PIECES = {
  /** Zeros before the plane; negative where its first pixels are in no window. */
  top: 'i32',
  left: 'i32',
  /** That a piece has room for. */
  images: 'i32',
  /** Of an image in each piece. */
  rows: 'i32',
  pitch: 'i32',
  strideHeight: 'i32',
  strideWidth: 'i32',
} as const;

/** Copies some rows of a plane of each image, from `firstRow` on, which may lie before it or behind it. */
export const copyPieces = defineFunction(
  'depthwisePieces',
  {
    source: 'address',
    /** Where not 0: the output after ReLU of which `source` is the gradient. Only for stride 1. */
    y: 'address',
    imageStride: 'bytes',
    images: 'i32',
    height: 'i32',
    width: 'i32',
    firstRow: 'i32',
    pieces: PIECES,
    target: 'address',
    /** Whether to write the zeros too. */
    isNew: 'flag',
  },
  (f, { source, y, imageStride, images, height, width, firstRow, pieces, target, isNew }) => {
    const { left, rows, pitch, strideHeight, strideWidth } = pieces;
    const pitchBytes = f.i32(pitch.times(4));
    const imageBytes = f.i32(rows.times(pitchBytes));
    const pieceBytes = f.i32(imageBytes.times(pieces.images));
    f.if(isNew, () => {
      const bytes = strideHeight.times(strideWidth).times(pieceBytes);
      f.call(fillRow, { target, count: bytes.dividedBy(4), value: 0 });
    });
    /** The elements n · step + phase − before for n in [first, end) lie on an axis of that length. */
    const range = (before: I32, phase: I32, step: I32, size: I32) => {
      const first = f.i32(before.minus(phase).plus(step.minus(1)));
      const end = f.i32(first.plus(size));
      first.set(first.max(0));
      end.set(end.max(0));
      f.if(step.greaterThan(1), () => {
        first.set(first.dividedBy(step));
        end.set(end.dividedBy(step));
      });
      return { first, end };
    };
    f.for(0, strideHeight, 1, (rowPhase) => {
      const before = f.i32(firstRow.times(-1));
      const lines = range(before, rowPhase, strideHeight, height);
      lines.end.set(lines.end.min(rows));
      f.for(0, strideWidth, 1, (columnPhase) => {
        const columns = range(left, columnPhase, strideWidth, width);
        columns.end.set(columns.end.min(pitch));
        const row = lines.first.times(strideHeight).plus(rowPhase).plus(firstRow);
        const column = columns.first.times(strideWidth).plus(columnPhase).minus(left);
        const from = f.i32(source.plus(row.times(width).plus(column).times(4)));
        const to = f.i32(target.plus(lines.first.times(pitch).plus(columns.first).times(4)));
        const values = {
          target: to,
          targetStride: pitchBytes,
          targetPlane: imageBytes,
          source: from,
          sourceStride: strideHeight.times(width).times(4),
          sourcePlane: imageStride,
          planes: images,
          rows: f.i32(lines.end.minus(lines.first)),
          count: f.i32(columns.end.minus(columns.first)),
        };
        const anyRows = (): void =>
          f.call(copySteps, { ...values, targetStep: 4, sourceStep: strideWidth.times(4) });
        f.if(values.count.greaterThan(0).and(values.rows.greaterThan(0)), () =>
          f.if(
            y,
            () => f.call(copyMaskedRows, { ...values, distance: y.minus(source) }),
            () =>
              f.if(
                strideWidth.equals(1),
                () => f.call(copyRows, values),
                () => f.if(strideWidth.equals(2), () => f.call(copyHalfRows, values), anyRows),
              ),
          ),
        );
        target.set(target.plus(pieceBytes));
      });
    });
  },
);
