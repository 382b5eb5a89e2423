import { f32, loadF32, loadI32 } from '../../assembler/scalars.ts';
import { ENDING, MODE } from '../../micro-kernel/micro-kernel.ts';
import { type Address, NOWHERE } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { IMAGES, type Images } from '../images/images.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { countFrom, endOf, partRange } from '../loops/part-range.ts';
import { correlateAny, correlateNine, NINE } from './correlate-row.ts';
import { type Geometry, PHASE_WORDS } from './geometry.ts';
import { copyPieces, PIECES } from './pieces.ts';
import { copyRows, copySteps } from './rows.ts';
import { correlateThreeRows, SIDE } from './three-rows.ts';

/** Strips of planes of the target, or those of several images, each from the `sources` planes that belong to it. */
const correlateTask = defineTask(
  'depthwise',
  {
    source: IMAGES,
    y: 'address',
    target: IMAGES,
    /** Planes of the source from which one of the target comes, or how many of the target come from one. */
    sources: 'i32',
    targets: 'i32',
    weights: { address: 'address', stride: 'bytes' },
    ending: ENDING,
    pieces: PIECES,
    pieceBytes: 'bytes',
    taps: 'address',
    phases: 'i32',
    /** Where `three-rows.ts` may be used: bytes from the weight of one tap to that of the next; else 0. */
    squareStep: 'i32',
    step: { height: 'i32', width: 'i32' },
    rows: 'i32',
    columns: 'i32',
    rowsOfStrip: 'i32',
    strips: 'i32',
    units: 'i32',
    unitsOfPart: 'i32',
  },
  (f, p, { index, scratch }) => {
    const { source, target, pieces, strips, rowsOfStrip, taps } = p;
    const units = partRange(f, index, p.unitsOfPart, p.units);
    const planeBytes = f.i32(source.height.times(source.width).times(4));
    const bytesOfSource = f.i32(p.pieceBytes.dividedBy(p.sources));
    const imageBytes = f.i32(pieces.rows.times(pieces.pitch).times(4));
    const isRelu = f.i32(p.ending.mode.and(MODE.relu).notEquals(0));
    const out = f.i32(scratch.plus(p.pieceBytes));
    const pitchBytes = f.i32(pieces.pitch.times(4));
    const bias = f.f32();
    // Where planes are not cut, the zeros around them are at the same places for all.
    const isNew = f.i32(1);
    f.for(units.first, units.end, 1, (unit) => {
      const plane = f.i32(unit.dividedBy(strips));
      const firstRow = f.i32(unit.modulo(strips).times(rowsOfStrip));
      const endRow = endOf(f, firstRow, rowsOfStrip, p.rows);
      const image = f.i32(plane.dividedBy(target.channels).times(pieces.images));
      const images = countFrom(f, image, pieces.images, target.count);
      const channel = f.i32(plane.modulo(target.channels));
      const start = f.i32(
        image
          .times(source.stride)
          .plus(channel.times(p.sources).dividedBy(p.targets).times(planeBytes)),
      );
      const into = f.i32(scratch);
      f.for(0, p.sources, 1, () => {
        const y = f.i32(0);
        f.if(p.y, () => y.set(p.y.plus(start)));
        f.call(copyPieces, {
          source: source.address.plus(start),
          y,
          imageStride: source.stride,
          images,
          height: source.height,
          width: source.width,
          firstRow: firstRow.times(pieces.strideHeight).minus(pieces.top),
          pieces,
          target: into,
          isNew: isNew.plus(strips.minus(1)),
        });
        start.set(start.plus(planeBytes));
        into.set(into.plus(bytesOfSource));
      });
      isNew.set(0);
      bias.set(f32(0));
      f.if(p.ending.mode.and(MODE.bias), () =>
        bias.set(loadF32(p.ending.bias.plus(channel.times(4)))),
      );
      const targetPlane = f.i32(
        target.address
          .plus(image.times(target.stride))
          .plus(channel.times(target.height).times(target.width).times(4)),
      );
      const phase = f.i32(taps);
      f.for(0, p.phases, 1, () => {
        const row = f.i32(loadI32(phase, 8));
        row.set(row.max(firstRow));
        const end = f.i32(loadI32(phase, 12));
        end.set(end.min(endRow));
        const targetRow = row.times(p.step.height).plus(loadI32(phase, 16));
        const to = f.i32(
          targetPlane.plus(targetRow.times(target.width).plus(loadI32(phase, 28)).times(4)),
        );
        const toStep = f.i32(p.step.height.times(target.width).times(4));
        const columns = f.i32(loadI32(phase, 24));
        const weights = f.i32(p.weights.address.plus(channel.times(p.weights.stride)));
        f.if(
          p.squareStep.notEquals(0).and(end.minus(row).atLeast(SIDE)),
          () => {
            // The first tap of the picture, which is the last of the kernel where that is turned.
            const last = f.i32(p.squareStep.lessThan(0).times((SIDE * SIDE - 1) * 4));
            const from = f.i32(scratch);
            f.for(0, images, 1, () => {
              f.call(correlateThreeRows, {
                source: from,
                sourceStride: pitchBytes,
                target: to,
                targetStride: toStep,
                rows: end.minus(row),
                columns,
                weights: weights.plus(last),
                weightStep: p.squareStep,
                bias,
                isRelu,
              });
              from.set(from.plus(imageBytes));
              to.set(to.plus(target.stride));
            });
          },
          () => {
            const values = {
              source: scratch,
              target: out,
              count: images
                .minus(1)
                .times(pieces.rows)
                .plus(endRow.minus(firstRow).minus(1))
                .times(pieces.pitch)
                .plus(p.columns),
              taps: taps.plus(loadI32(phase)),
              tapCount: loadI32(phase, 4),
              weights,
              bias,
              isRelu,
            };
            f.if(
              values.tapCount.equals(NINE),
              () => f.call(correlateNine, values),
              () => f.call(correlateAny, values),
            );
            const from = f.i32(
              out.plus(row.minus(firstRow).times(pitchBytes)).plus(loadI32(phase, 20).times(4)),
            );
            const rows = {
              target: to,
              targetStride: toStep,
              targetPlane: target.stride,
              source: from,
              sourceStride: pitchBytes,
              sourcePlane: imageBytes,
              planes: images,
              rows: end.minus(row),
              count: columns,
            };
            const targetStep = p.step.width.times(4);
            f.if(
              p.step.width.equals(1),
              () => f.call(copyRows, rows),
              () => f.call(copySteps, { ...rows, targetStep, sourceStep: 4 }),
            );
          },
        );
        phase.set(phase.plus(PHASE_WORDS * 4));
      });
    });
  },
);

interface Planes {
  readonly source: Images;
  /** Where given, the source is the gradient by this output of a ReLU. */
  readonly y: Address | null;
  readonly target: Images;
  readonly sources: number;
  readonly targets: number;
  readonly weights: { readonly address: Address; readonly stride: number };
  readonly ending: { readonly mode: number; readonly bias: Address };
  readonly step: { readonly height: number; readonly width: number };
  /** Whether the kernel's last weight is that of the first pixel. */
  readonly isTurned: boolean;
}

/** Computes every plane of the target from those of the source that belong to it. */
export function correlate(frame: Frame, geometry: Geometry, planes: Planes): void {
  const { isTurned, ...values } = planes;
  const { pieces, strips, bytes, taps, phases, isSquare } = geometry;
  const blocks = Math.ceil(planes.target.count / strips.images);
  const units = blocks * planes.target.channels * strips.count;
  const area = strips.images * strips.ofStrip * pieces.pitch * phases;
  const unitsOfPart = Math.max(1, Math.floor(CHUNK / area));
  frame.run(correlateTask, Math.ceil(units / unitsOfPart), {
    ...values,
    squareStep: isSquare ? (isTurned ? -4 : 4) : 0,
    y: planes.y ?? NOWHERE,
    pieces,
    pieceBytes: bytes,
    taps,
    phases,
    rows: strips.rows,
    columns: strips.columns,
    rowsOfStrip: strips.ofStrip,
    strips: strips.count,
    units,
    unitsOfPart,
  });
}
