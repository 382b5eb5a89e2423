import { ShapeError, ValueError } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { checkImage, describeImage, type Image } from '../core/image.ts';
import type { DefinedClass } from '../core/recipe.ts';
import { describeNumbers } from './interval.ts';
import { defineTransform, type Transform } from './transform.ts';

/** One number for each channel. */
export interface NormalizeOptions {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * `y = (x − mean) / std` for each channel, as float32, in either layout.
 *
 * Mean and standard deviation are in the units of `x`: after `Rescale(1 / 255, 0)` those of [0, 1].
 *
 * @throws ValueError if the lists are empty, of different lengths, not finite, or a standard
 *   deviation is not above 0
 * @see MindSpore, `mindspore.dataset.vision.Normalize`
 */
export const Normalize: DefinedClass<[options: NormalizeOptions], NormalizeMembers> =
  defineTransform('Normalize', (options) => {
    const { mean, std } = checkedOptions(options);
    return {
      isPointwise: true,
      mean,
      std,
      apply: (image) => normalized(image, { mean, std }),
      inverse: () =>
        new Normalize({
          mean: mean.map((mean, channel) => -mean / std[channel]),
          std: std.map((std) => 1 / std),
        }),
    };
  });
export type Normalize = InstanceType<typeof Normalize>;

interface NormalizeMembers extends Transform {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** @throws ShapeError if the image has another number of channels than `mean` */
  apply(image: Image): Image;
  /** The transform that undoes this one, to look at images again: `x = y · std + mean`. */
  inverse(): Normalize;
}

function checkedOptions(options: NormalizeOptions): NormalizeOptions {
  const { mean, std } = expectOptions('Normalize', options);
  expectThat(Array.isArray(mean), 'Normalize', 'mean', 'a list of numbers', mean);
  expectThat(Array.isArray(std), 'Normalize', 'std', 'a list of numbers', std);
  if (mean.length === 0 || mean.length !== std.length) {
    throw new ValueError(
      `Normalize: mean and std need one number for each channel, ` +
        `got ${mean.length} and ${std.length} numbers`,
    );
  }
  if (!mean.every(Number.isFinite) || !std.every((value) => Number.isFinite(value) && value > 0)) {
    throw new ValueError(
      `Normalize: mean must be finite and std finite and above 0, ` +
        `got mean ${describeNumbers(mean)} and std ${describeNumbers(std)}`,
    );
  }
  return { mean: [...mean], std: [...std] };
}

function normalized(image: Image, { mean: means, std: stds }: NormalizeOptions): Image {
  checkImage('Normalize', image);
  const { channels, layout, height, width, data: source } = image;
  if (channels !== means.length) {
    throw new ShapeError(
      `Normalize: mean and std have ${means.length} numbers, ` +
        `the image ${describeImage(image)} has ${channels} channels`,
    );
  }
  const data = new Float32Array(source.length);
  const plane = height * width;
  const step = layout === 'HWC' ? channels : 1;
  for (let channel = 0; channel < channels; channel++) {
    const mean = means[channel];
    const std = stds[channel];
    const start = layout === 'HWC' ? channel : channel * plane;
    for (let i = 0, at = start; i < plane; i++, at += step) data[at] = (source[at] - mean) / std;
  }
  return { ...image, data };
}
