import type { Activation } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { LocalsOf } from '../../assembler/parameters.ts';
import { type F32, type I32, loadF32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { defineTask } from '../../runtime/task.ts';
import { beforeRelu } from '../lanes/before-relu.ts';
import { LongSum } from '../lanes/long-sum.ts';
import { forPlane, forPlanes } from '../loops/planes.ts';
import {
  CHANNEL_PLANES,
  channelOf,
  channelValues,
  NORM,
  type Normalization,
  normalizationOf,
} from './channels.ts';

/** Reads the gradient before the activation, given x − mean of the same elements. */
interface GradientReader {
  vector(lanes: 4 | 8, centred: Floats): Floats;
  single(centred: F32): F32;
}

/**
 * ReLU's input is computed again: that takes less time than reading its output, and has the same bits.
 *
 * @param norm what ReLU was applied to; null without one
 */
function readerOf(g: I32, norm: Normalization | null): GradientReader {
  if (norm === null) {
    return { vector: (lanes) => loadFloats(g, 0, lanes), single: () => loadF32(g) };
  }
  return {
    vector: (lanes, centred) => beforeRelu(loadFloats(g, 0, lanes), norm.vector(centred)),
    // In a lane, because a branch would be taken or not at random.
    single: (centred) => beforeRelu(loadSplat(g), splat(norm.single(centred))).lane(0),
  };
}

const GRADIENT = { ...CHANNEL_PLANES, x: 'address', gradOut: 'address', norm: NORM } as const;

/** What both tasks begin with for a plane. */
function gradientPlane(
  f: FunctionBuilder,
  p: LocalsOf<typeof GRADIENT>,
  plane: I32,
  activation: Activation,
) {
  const start = f.i32(plane.times(p.area).times(4));
  const channel = f.i32(channelOf(plane, p.channels));
  const values = channelValues(f, p.norm, channel);
  const bias = loadF32(p.norm.bias.plus(channel));
  const gradOut = f.i32(p.gradOut.plus(start));
  const norm = activation === 'relu' ? normalizationOf(f, values, bias) : null;
  const x = f.i32(p.x.plus(start));
  return { start, channel, ...values, x, gradOut, g: readerOf(gradOut, norm) };
}

/**
 * sums[n, c] = Σ g and dots[n, c] = Σ g · x̂ of a plane, as float64, with x̂ = (x − mean) / √(variance + ε)
 * and g the gradient before the activation.
 */
function defineGradSums(name: string, activation: Activation) {
  const fields = { ...GRADIENT, sums: 'address', dots: 'address' } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    forPlanes(f, p.planes, index, (plane) => {
      const { mean, inverse, x, gradOut, g } = gradientPlane(f, p, plane, activation);
      const [means, inverses] = [mean, inverse].map((value) => f.f32x4(splat(value)));
      const [sum, dot] = [new LongSum(f), new LongSum(f)];
      const [centred, gradient] = [f.f32(), f.f32()];
      forPlane(f, p.area, [x, gradOut], {
        vector(lanes) {
          const difference = loadFloats(x, 0, lanes).minus(means);
          const differences = f.floatsLike(difference, difference);
          const gradients = f.floatsLike(difference, g.vector(lanes, differences));
          sum.collect(gradients);
          dot.collect(differences.times(inverses).times(gradients));
        },
        single() {
          centred.set(loadF32(x).minus(mean));
          gradient.set(g.single(centred));
          sum.addSingle(gradient);
          dot.addSingle(centred.times(inverse).times(gradient));
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
}

/**
 * gx = weight / √(variance + ε) · (g − share · (Σ g + x̂ · Σ g x̂)), computed as
 * scale · g − slope · (x − mean) − level.
 */
function defineGrad(name: string, activation: Activation) {
  const fields = {
    ...GRADIENT,
    sums: 'address',
    dots: 'address',
    gradX: 'address',
    /** 1 / (N · H · W), or 0 where the statistics do not depend on x. */
    share: 'f32',
  } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    forPlanes(f, p.planes, index, (plane) => {
      const { start, channel, ...values } = gradientPlane(f, p, plane, activation);
      const { mean, scale, inverse, x, gradOut, g } = values;
      const perElement = f.f32(scale.times(p.share));
      const level = f.f32(perElement.times(loadF32(p.sums.plus(channel))));
      const slope = f.f32(perElement.times(inverse).times(loadF32(p.dots.plus(channel))));
      const [scales, means, levels, slopes] = [scale, mean, level, slope].map((value) =>
        f.f32x4(splat(value)),
      );
      const gradX = f.i32(p.gradX.plus(start));
      const centred = f.f32();
      f.if(
        p.share.notEquals(0),
        () =>
          forPlane(f, p.area, [x, gradOut, gradX], {
            vector(lanes) {
              const difference = loadFloats(x, 0, lanes).minus(means);
              const differences = f.floatsLike(difference, difference);
              const throughMean = g.vector(lanes, differences).times(scales).minus(levels);
              f.store(gradX, throughMean.minus(differences.times(slopes)));
            },
            single() {
              centred.set(loadF32(x).minus(mean));
              const throughMean = g.single(centred).times(scale).minus(level);
              f.store(gradX, throughMean.minus(centred.times(slope)));
            },
          }),
        // The other terms are left out, not multiplied by 0, which would make NaN of infinity.
        () =>
          forPlane(f, p.area, [x, gradOut, gradX], {
            vector(lanes) {
              const differences = loadFloats(x, 0, lanes).minus(means);
              f.store(gradX, g.vector(lanes, differences).times(scales));
            },
            single: () => f.store(gradX, g.single(loadF32(x).minus(mean)).times(scale)),
          }),
      );
    });
  });
}

/** Sums over planes, and the gradient by x from their totals, by the activation behind the norm. */
export const gradTasks = {
  none: {
    sums: defineGradSums('batchNormGradSums', 'none'),
    grad: defineGrad('batchNormGrad', 'none'),
  },
  relu: {
    sums: defineGradSums('batchNormReluGradSums', 'relu'),
    grad: defineGrad('batchNormReluGrad', 'relu'),
  },
} as const;
