import type { Pair } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';

/**
 * Height and width of a kernel.
 *
 * @throws ValueError unless they are integers ≥ 1
 */
export function expectKernel(layer: string, kernelSize: Pair): readonly [number, number] {
  const pair = typeof kernelSize === 'number' ? ([kernelSize, kernelSize] as const) : kernelSize;
  const isRight =
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every((length) => Number.isInteger(length) && length >= 1);
  expectThat(isRight, layer, 'kernelSize', 'an integer ≥ 1 or two of them', kernelSize);
  return pair;
}
