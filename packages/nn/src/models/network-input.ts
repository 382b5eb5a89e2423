import { isGradEnabled, ShapeError, type Tensor, tidy } from '@firelight/tensor';
import { asTensor, expectThat, formatShape } from '@firelight/tensor/extend';

/** Throws a `ValueError` unless `value` is one of the names. */
export function expectOneOf(
  network: string,
  name: string,
  value: string,
  choices: readonly string[],
): void {
  const rule = `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  expectThat(choices.includes(value), network, name, rule, value);
}

/** Throws a `ValueError` unless `depth` is one of those that networks are known for. */
export function expectDepth(
  network: string,
  depth: number,
  known: Readonly<Record<number, unknown>>,
): void {
  const depths = Object.keys(known).map(Number);
  expectThat(depths.includes(depth), network, 'depth', `one of ${depths.join(', ')}`, depth);
}

/** @throws ShapeError unless `input` is `[N, inChannels, H, W]`; DTypeError for what is no tensor */
export function expectImages(network: string, input: Tensor, inChannels: number): Tensor {
  const x = asTensor(network, 'x', input);
  if (x.rank === 4 && x.shape[1] === inChannels) return x;
  throw new ShapeError(
    `${network}: needs images [N, ${inChannels}, H, W], got ${formatShape(x.shape)}`,
  );
}

/** What `run` gives; without gradients nobody needs what lies between the layers, and it is freed. */
export function tidyWithoutGrad(run: () => Tensor): Tensor {
  return isGradEnabled() ? run() : tidy(run);
}
