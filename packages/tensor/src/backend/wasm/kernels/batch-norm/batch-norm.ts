import type { NdArray } from '../../../../core/ndarray.ts';
import type { Activation, Kernels } from '../../../contract.ts';
import { loadFloats } from '../../assembler/loads.ts';
import { loadF32 } from '../../assembler/scalars.ts';
import { splat } from '../../assembler/vectors.ts';
import { type Address, NOWHERE } from '../../runtime/address.ts';
import { type Frame, inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { LongSum } from '../lanes/long-sum.ts';
import { forPlane, forPlanes, planeParts } from '../loops/planes.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import { CHANNEL_PLANES, channelOf, channelValues, NORM, normalizationOf } from './channels.ts';
import { gradTasks } from './gradients.ts';
import { gradientsOfRows, MOST_PIXELS, momentsOfRows, normalizeRows } from './small-planes.ts';

/** sums[n, c] = Σ (x − mean[c])² of a plane, as float64. */
const SQUARES = { ...CHANNEL_PLANES, x: 'address', mean: 'address', sums: 'address' } as const;
const squaresTask = defineTask('squaredDeviations', SQUARES, (f, p, { index }) => {
  forPlanes(f, p.planes, index, (plane) => {
    const x = f.i32(p.x.plus(plane.times(p.area).times(4)));
    const mean = f.f32(loadF32(p.mean.plus(channelOf(plane, p.channels))));
    const means = f.f32x4(splat(mean));
    const sum = new LongSum(f);
    const deviation = f.f32();
    forPlane(f, p.area, [x], {
      vector(lanes) {
        const difference = loadFloats(x, 0, lanes).minus(means);
        const deviations = f.floatsLike(difference, difference);
        sum.collect(deviations.times(deviations));
      },
      single() {
        deviation.set(loadF32(x).minus(mean));
        sum.addSingle(deviation.times(deviation));
      },
      flush: () => sum.flush(),
    });
    f.store(p.sums.plus(plane.times(8)), sum.total);
  });
});

/** y = (x − mean) · weight / √(variance + ε) + bias, or max(0, ·) of it. */
function defineNormalize(name: string, activation: Activation) {
  const fields = { ...CHANNEL_PLANES, x: 'address', y: 'address', norm: NORM } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    forPlanes(f, p.planes, index, (plane) => {
      const start = f.i32(plane.times(p.area).times(4));
      const channel = f.i32(channelOf(plane, p.channels));
      const values = channelValues(f, p.norm, channel);
      const { mean } = values;
      const norm = normalizationOf(f, values, loadF32(p.norm.bias.plus(channel)));
      const means = f.f32x4(splat(mean));
      const x = f.i32(p.x.plus(start));
      const y = f.i32(p.y.plus(start));
      forPlane(f, p.area, [x, y], {
        vector(lanes) {
          const normalized = norm.vector(loadFloats(x, 0, lanes).minus(means));
          f.store(y, activation === 'relu' ? normalized.positivePart() : normalized);
        },
        single() {
          const normalized = norm.single(loadF32(x).minus(mean));
          const rectified = splat(normalized).positivePart().lane(0);
          f.store(y, activation === 'relu' ? rectified : normalized);
        },
      });
    });
  });
}

const normalizeTasks = {
  none: defineNormalize('batchNorm', 'none'),
  relu: defineNormalize('batchNormRelu', 'relu'),
} as const;

/** target[c] = Σ over images of the sums of planes [N, C], divided by `divisor`. */
function sumOverImages(
  frame: Frame,
  [N, C]: readonly number[],
  sums: Address,
  target: Address,
  divisor = 1,
): void {
  const axis = { outer: 1, length: N, inner: C };
  sumAxis(frame, { address: sums, areSums: true }, axis, { address: target, divisor });
}

/** The number of planes of an array [N, C, H, W], and values of the fields for them. */
function planesOf({ shape: [N, C, H, W] }: NdArray) {
  const { parts, planes } = planeParts(N * C, H * W);
  return {
    count: N * C,
    parts,
    fields: { planes, channels: C, area: H * W },
    rows: { images: N, channels: C, area: H * W },
    areSmall: H * W <= MOST_PIXELS,
  };
}

export const batchNormalization: Pick<
  Kernels,
  'channelMoments' | 'batchNorm2d' | 'batchNorm2dGrad'
> = {
  channelMoments: (x) =>
    inFrame((frame) => {
      const [N, C, H, W] = x.shape;
      const count = N * H * W;
      const mean = frame.output([C]);
      const variance = frame.output([C]);
      const planes = planesOf(x);
      const source = frame.input(x);
      const moments = { mean: mean.array, variance: variance.array };
      if (planes.areSmall) {
        const targets = { mean: mean.address, variance: variance.address };
        momentsOfRows(frame, planes.rows, source, targets);
        return moments;
      }
      const sums = frame.temporary(planes.count * 8);
      const rows = { outer: planes.count, length: H * W, inner: 1 };
      const pixels = { address: source, areSums: false };
      sumAxis(frame, pixels, rows, { address: sums, divisor: null });
      sumOverImages(frame, x.shape, sums, mean.address, count);
      frame.run(squaresTask, planes.parts, {
        ...planes.fields,
        x: source,
        mean: mean.address,
        sums,
      });
      sumOverImages(frame, x.shape, sums, variance.address, count);
      return moments;
    }),

  batchNorm2d: (x, { mean, variance }, weight, bias, epsilon, activation) =>
    inFrame((frame) => {
      const { parts, fields, rows, areSmall } = planesOf(x);
      const y = frame.output(x.shape);
      const source = frame.input(x);
      const norm = {
        mean: frame.input(mean),
        variance: frame.input(variance),
        weight: frame.input(weight),
        bias: frame.input(bias),
        epsilon,
      };
      if (areSmall) normalizeRows(frame, rows, source, norm, activation, y.address);
      else {
        frame.run(normalizeTasks[activation], parts, { ...fields, x: source, y: y.address, norm });
      }
      return y.array;
    }),

  batchNorm2dGrad: (x, { mean, variance, frozen }, weight, bias, gradOut, epsilon) =>
    inFrame((frame) => {
      const [N, C, H, W] = x.shape;
      const { count, parts, fields, rows, areSmall } = planesOf(x);
      const gradX = frame.output(x.shape);
      const gradWeight = frame.output([C]);
      const gradBias = frame.output([C]);
      const sources = { x: frame.input(x), gradOut: frame.input(gradOut) };
      const norm = {
        mean: frame.input(mean),
        variance: frame.input(variance),
        weight: frame.input(weight),
        bias: bias === null ? NOWHERE : frame.input(bias),
        epsilon,
      };
      const share = frozen ? 0 : 1 / (N * H * W);
      const gradients = { x: gradX.array, weight: gradWeight.array, bias: gradBias.array };
      if (areSmall) {
        const { address: weight } = gradWeight;
        const targets = { x: gradX.address, weight, bias: gradBias.address, share };
        gradientsOfRows(frame, rows, sources, norm, targets);
        return gradients;
      }
      const tasks = gradTasks[bias === null ? 'none' : 'relu'];
      const sums = frame.temporary(count * 8);
      const dots = frame.temporary(count * 8);
      const operands = { ...fields, ...sources, norm };
      frame.run(tasks.sums, parts, { ...operands, sums, dots });
      sumOverImages(frame, x.shape, sums, gradBias.address);
      sumOverImages(frame, x.shape, dots, gradWeight.address);
      frame.run(tasks.grad, parts, {
        ...operands,
        sums: gradBias.address,
        dots: gradWeight.address,
        gradX: gradX.address,
        share,
      });
      return gradients;
    }),
};
