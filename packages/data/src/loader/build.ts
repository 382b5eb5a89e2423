import { ValueError } from '@firelight/tensor';
import { CutMix } from '../batch-transforms/cut-mix.ts';
import { Mixup } from '../batch-transforms/mixup.ts';
import { OneHot } from '../batch-transforms/one-hot.ts';
import { CifarSamples } from '../cifar/samples.ts';
import type { Recipe } from '../core/recipe.ts';
import { ImageFolder } from '../images/image-folder.ts';
import { CenterCrop } from '../transforms/center-crop.ts';
import { ColorJitter } from '../transforms/color-jitter.ts';
import { Compose } from '../transforms/compose.ts';
import { Cutout } from '../transforms/cutout.ts';
import { HWC2CHW } from '../transforms/hwc-to-chw.ts';
import { Normalize } from '../transforms/normalize.ts';
import { RandAugment } from '../transforms/rand-augment.ts';
import { RandomCrop } from '../transforms/random-crop.ts';
import { RandomHorizontalFlip } from '../transforms/random-horizontal-flip.ts';
import { RandomResizedCrop } from '../transforms/random-resized-crop.ts';
import { RandomRotation } from '../transforms/random-rotation.ts';
import { Rescale } from '../transforms/rescale.ts';
import { Resize } from '../transforms/resize.ts';

type Constructor = new (...args: never[]) => object;

const BUILT_IN: Readonly<Record<string, Constructor>> = {
  CenterCrop,
  CifarSamples,
  ColorJitter,
  Compose,
  CutMix,
  Cutout,
  HWC2CHW,
  ImageFolder,
  Mixup,
  Normalize,
  OneHot,
  RandAugment,
  RandomCrop,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  Rescale,
  Resize,
};

/**
 * Makes what a recipe says.
 *
 * @throws ValueError if there is no such class
 */
export async function build({ name, module, args }: Recipe): Promise<unknown> {
  const offered: Readonly<Record<string, unknown>> =
    module === undefined ? BUILT_IN : await import(/* @vite-ignore */ module);
  const Class = Object.hasOwn(offered, name) ? offered[name] : undefined;
  if (typeof Class !== 'function') {
    throw new ValueError(
      `a recipe asks for '${name}' of ${module ?? '@firelight/data'}, which has none`,
    );
  }
  return new (Class as new (...args: unknown[]) => object)(
    ...(await Promise.all(args.map(buildIn))),
  );
}

/** An argument with the recipes in it made. */
async function buildIn(argument: unknown): Promise<unknown> {
  if (Array.isArray(argument) && argument.some(isRecipe)) return Promise.all(argument.map(buildIn));
  return isRecipe(argument) ? build(argument) : argument;
}

function isRecipe(value: unknown): value is Recipe {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'args' in value &&
    Array.isArray(value.args)
  );
}
