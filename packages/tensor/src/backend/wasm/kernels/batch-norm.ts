import type { NdArray } from '../../../core/ndarray.ts';
import type { Kernels } from '../../kernels.ts';
import type { FunctionBuilder, Local } from '../assembler/function.ts';
import { loadFloats } from '../assembler/loads.ts';
import { type F32, f32, type I32, loadF32 } from '../assembler/scalars.ts';
import { splat } from '../assembler/vectors.ts';
import { type Frame, inFrame } from '../frame.ts';
import { defineTask } from '../task.ts';
import { LongSum } from './long-sum.ts';
import { forPlane, forPlanes, PLANE_FIELDS, planeParts } from './rows.ts';
import { sumAxis } from './sum-axis.ts';

/**
 * Batch normalization of [N, C, H, W]. A part is one plane [H, W]; sums over a channel are sums of
 * those of its planes, in the order of the images.
 */

const FIELDS = {
  ...PLANE_FIELDS,
  x: 'i32',
  gradOut: 'i32',
  y: 'i32',
  channels: 'i32',
  area: 'i32',
  mean: 'i32',
  variance: 'i32',
  weight: 'i32',
  bias: 'i32',
  sums: 'i32',
  dots: 'i32',
  epsilon: 'f32',
  /** 1 / (N · H · W), or 0 where the statistics do not depend on x. */
  share: 'f32',
} as const;

const channelOf = (plane: I32, channels: I32): I32 => plane.modulo(channels).times(4);

/** sums[n, c] = Σ (x − mean[c])² of a plane, as float64. */
const squaresTask = defineTask('squaredDeviations', FIELDS, (f, p, { index }) => {
  forPlanes(f, p, index, (plane) => {
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

/** y = (x − mean) · weight / √(variance + ε) + bias */
const normalizeTask = defineTask('batchNorm', FIELDS, (f, p, { index }) => {
  forPlanes(f, p, index, (plane) => {
    const start = f.i32(plane.times(p.area).times(4));
    const channel = f.i32(channelOf(plane, p.channels));
    const { scale, mean } = scaleOf(f, p, channel);
    const shift = f.f32(loadF32(p.bias.plus(channel)));
    const [scales, means, shifts] = [scale, mean, shift].map((value) => f.f32x4(splat(value)));
    const x = f.i32(p.x.plus(start));
    const y = f.i32(p.y.plus(start));
    forPlane(f, p.area, [x, y], {
      vector(lanes) {
        const centred = loadFloats(x, 0, lanes).minus(means);
        f.store(y, f.multiplyAdd(centred, scales, shifts));
      },
      single() {
        f.store(y, loadF32(x).minus(mean).times(scale).plus(shift));
      },
    });
  });
});

function scaleOf(
  f: FunctionBuilder,
  p: { mean: I32; variance: I32; weight: I32; epsilon: F32 },
  channel: I32,
): { scale: Local<F32>; mean: Local<F32>; inverse: Local<F32> } {
  const variance = loadF32(p.variance.plus(channel));
  const inverse = f.f32(variance.plus(p.epsilon).sqrt());
  const scale = f.f32(loadF32(p.weight.plus(channel)).dividedBy(inverse));
  inverse.set(f32(1).dividedBy(inverse));
  return { scale, mean: f.f32(loadF32(p.mean.plus(channel))), inverse };
}

/**
 * sums[n, c] = Σ g and dots[n, c] = Σ g · x̂ of a plane, as float64, with x̂ = (x − mean) / √(variance + ε).
 */
const gradSumsTask = defineTask('batchNormGradSums', FIELDS, (f, p, { index }) => {
  forPlanes(f, p, index, (plane) => {
    const start = f.i32(plane.times(p.area).times(4));
    const channel = f.i32(channelOf(plane, p.channels));
    const { mean, inverse } = scaleOf(f, p, channel);
    const means = f.f32x4(splat(mean));
    const x = f.i32(p.x.plus(start));
    const g = f.i32(p.gradOut.plus(start));
    const [sum, dot] = [new LongSum(f), new LongSum(f)];
    const inverses = f.f32x4(splat(inverse));
    const gradient = f.f32();
    forPlane(f, p.area, [x, g], {
      vector(lanes) {
        const loaded = loadFloats(g, 0, lanes);
        const gradients = f.floatsLike(loaded, loaded);
        sum.collect(gradients);
        dot.collect(loadFloats(x, 0, lanes).minus(means).times(inverses).times(gradients));
      },
      single() {
        gradient.set(loadF32(g));
        sum.addSingle(gradient);
        dot.addSingle(loadF32(x).minus(mean).times(inverse).times(gradient));
      },
      flush() {
        sum.flush();
        dot.flush();
      },
    });
    const at = f.i32(plane.times(8));
    f.store(p.sums.plus(at), sum.total);
    f.store(p.dots.plus(at), dot.total);
  });
});

/**
 * gx = weight / √(variance + ε) · (g − share · (Σ g + x̂ · Σ g x̂)), computed as
 * scale · g − slope · (x − mean) − level.
 */
const gradTask = defineTask('batchNormGrad', FIELDS, (f, p, { index }) => {
  forPlanes(f, p, index, (plane) => {
    const start = f.i32(plane.times(p.area).times(4));
    const channel = f.i32(channelOf(plane, p.channels));
    const { scale, mean, inverse } = scaleOf(f, p, channel);
    const perElement = f.f32(scale.times(p.share));
    const level = f.f32(perElement.times(loadF32(p.sums.plus(channel))));
    const slope = f.f32(perElement.times(inverse).times(loadF32(p.dots.plus(channel))));
    const [scales, means, levels, slopes] = [scale, mean, level, slope].map((value) =>
      f.f32x4(splat(value)),
    );
    const x = f.i32(p.x.plus(start));
    const g = f.i32(p.gradOut.plus(start));
    const y = f.i32(p.y.plus(start));
    f.if(
      p.share.notEquals(0),
      () =>
        forPlane(f, p.area, [x, g, y], {
          vector(lanes) {
            const throughMean = loadFloats(g, 0, lanes).times(scales).minus(levels);
            const throughVariance = loadFloats(x, 0, lanes).minus(means).times(slopes);
            f.store(y, throughMean.minus(throughVariance));
          },
          single() {
            const throughMean = loadF32(g).times(scale).minus(level);
            const throughVariance = loadF32(x).minus(mean).times(slope);
            f.store(y, throughMean.minus(throughVariance));
          },
        }),
      // The other terms are left out, not multiplied by 0, which would make NaN of infinity.
      () =>
        forPlane(f, p.area, [g, y], {
          vector: (lanes) => f.store(y, loadFloats(g, 0, lanes).times(scales)),
          single: () => f.store(y, loadF32(g).times(scale)),
        }),
    );
  });
});

const UNUSED = {
  gradOut: 0,
  y: 0,
  mean: 0,
  variance: 0,
  weight: 0,
  bias: 0,
  sums: 0,
  dots: 0,
  epsilon: 0,
  share: 0,
};

/** target[c] = Σ over images of the sums of planes [N, C], divided by `divisor`. */
function sumOverImages(
  frame: Frame,
  [N, C]: readonly number[],
  sums: number,
  target: number,
  divisor = 1,
): void {
  const axis = { outer: 1, length: N, inner: C };
  sumAxis(frame, { address: sums, areSums: true }, axis, { address: target, divisor });
}

const planes = ({ shape: [N, C] }: NdArray): number => N * C;

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
      const sums = frame.temporary(planes(x) * 8);
      const source = frame.input(x);
      const rows = { outer: planes(x), length: H * W, inner: 1 };
      const pixels = { address: source, areSums: false };
      sumAxis(frame, pixels, rows, { address: sums, divisor: null });
      sumOverImages(frame, x.shape, sums, mean.address, count);
      const { parts, fields: planeFields } = planeParts(planes(x), H * W);
      const fields = { ...UNUSED, x: source, channels: C, area: H * W };
      frame.run(squaresTask, parts, { ...planeFields, ...fields, mean: mean.address, sums });
      sumOverImages(frame, x.shape, sums, variance.address, count);
      return { mean: mean.array, variance: variance.array };
    }),

  batchNorm2d: (x, { mean, variance }, weight, bias, epsilon) =>
    inFrame((frame) => {
      const [, C, H, W] = x.shape;
      const { parts, fields: planeFields } = planeParts(planes(x), H * W);
      const y = frame.output(x.shape);
      frame.run(normalizeTask, parts, {
        ...planeFields,
        ...UNUSED,
        x: frame.input(x),
        y: y.address,
        channels: C,
        area: H * W,
        mean: frame.input(mean),
        variance: frame.input(variance),
        weight: frame.input(weight),
        bias: frame.input(bias),
        epsilon,
      });
      return y.array;
    }),

  batchNorm2dGrad: (x, { mean, variance, frozen }, weight, gradOut, epsilon) =>
    inFrame((frame) => {
      const [N, C, H, W] = x.shape;
      const { parts, fields: planeFields } = planeParts(planes(x), H * W);
      const gradX = frame.output(x.shape);
      const gradWeight = frame.output([C]);
      const gradBias = frame.output([C]);
      const sums = frame.temporary(planes(x) * 8);
      const dots = frame.temporary(planes(x) * 8);
      const fields = {
        ...UNUSED,
        x: frame.input(x),
        gradOut: frame.input(gradOut),
        y: gradX.address,
        channels: C,
        area: H * W,
        mean: frame.input(mean),
        variance: frame.input(variance),
        weight: frame.input(weight),
        epsilon,
      };
      frame.run(gradSumsTask, parts, { ...planeFields, ...fields, sums, dots });
      sumOverImages(frame, x.shape, sums, gradBias.address);
      sumOverImages(frame, x.shape, dots, gradWeight.address);
      frame.run(gradTask, parts, {
        ...planeFields,
        ...fields,
        sums: gradBias.address,
        dots: gradWeight.address,
        share: frozen ? 0 : 1 / (N * H * W),
      });
      return { x: gradX.array, weight: gradWeight.array, bias: gradBias.array };
    }),
};
