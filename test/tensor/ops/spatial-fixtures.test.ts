import { readFileSync } from 'node:fs';
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  convTranspose2d,
  FirelightError,
  globalMaxPool2d,
  maxPool2d,
  ones,
  setBackend,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../helpers/relative-error.ts';

const OPERATIONS = {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  convTranspose2d,
  maxPool2d,
};

/** Written by `test/fixtures/spatial/make.py`. */
interface Case {
  readonly op: keyof typeof OPERATIONS;
  readonly shapes: readonly (readonly number[])[];
  readonly options: unknown;
  readonly shape: readonly number[];
  readonly y: readonly number[];
  readonly grads: readonly (readonly number[])[];
}

const path = new URL('../../fixtures/spatial/cases.json', import.meta.url);
const cases: readonly Case[] = JSON.parse(readFileSync(path, 'utf8'));

/** sin of 1, 2, 3, …, as `make.py` fills its inputs. */
function ramp(shape: readonly number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(i + 1));
  return tensor(values, { shape, dtype: 'float32', requiresGrad: true });
}

describe.each(['reference', 'wasm'])('on %s PyTorch agrees', (backend) => {
  afterAll(() => setBackend('reference'));

  test.each(cases.map((entry, i) => ({ ...entry, title: `${entry.op} (${i})` })))(
    '$title',
    async ({ op, shapes, options, shape, y, grads }) => {
      await setBackend(backend);
      const inputs = shapes.map(ramp);
      const run = OPERATIONS[op] as (...values: unknown[]) => Tensor;
      const output = run(...inputs, options);
      expect(output.shape).toEqual(shape);
      const weights = Float64Array.from({ length: output.size }, (_, i) => Math.cos(i));
      output.backward(tensor(weights, { shape, dtype: 'float32' }));
      expect(relativeError(output.data, y)).toBeLessThan(2e-5);
      inputs.forEach((input, i) => {
        expect(relativeError((input.grad as Tensor).data, grads[i])).toBeLessThan(2e-5);
      });
    },
  );
});

const image = ones([1, 4, 3, 3]);

describe('what does not fit is refused', () => {
  const weight = ones([4, 2, 3, 3]);

  test.each<[() => unknown, RegExp]>([
    [() => maxPool2d(image, { kernelSize: 2, dilation: 0 }), /dilation must be integers ≥ 1/],
    [
      () => maxPool2d(ones([1, 1, 1, 1]), { kernelSize: 2, dilation: 2, padding: 1 }),
      /maxPool2d: padding \[1, 1, 1, 1\] must be smaller than the kernel 3 × 3, or some windows/,
    ],
    [
      () => avgPool2d(image, { kernelSize: 2, countIncludePad: 1 as never }),
      /avgPool2d: countIncludePad must be true or false, got 1/,
    ],
    [
      () => maxPool2d(image, { kernelSize: 2, countIncludePad: true } as never),
      /maxPool2d: there is no option 'countIncludePad'/,
    ],
    [() => globalMaxPool2d(ones([1, 1, 0, 2])), /globalMaxPool2d: needs images of at least one/],
    [() => adaptiveAvgPool2d(image, 0), /adaptiveAvgPool2d: outputSize must be .* ≥ 1/],
    [() => adaptiveAvgPool2d(image, 'x' as never), /outputSize must be a number or \[h, w\]/],
    [
      () => convTranspose2d(image, ones([3, 2, 3, 3])),
      /convTranspose2d: input has 4 channels, weight expects 3/,
    ],
    [
      () => convTranspose2d(image, weight, null, { groups: 3 }),
      /convTranspose2d: groups must divide the 4 input channels, got 3/,
    ],
    [
      () => convTranspose2d(image, weight, ones([4])),
      /convTranspose2d: bias must have one element for each of 2 output channels/,
    ],
    [
      () => convTranspose2d(image, weight, null, { outputPadding: 1 }),
      /outputPadding must be smaller than stride or dilation \(1\), got 1/,
    ],
    [
      () => convTranspose2d(image, weight, null, { padding: 3 }),
      /convTranspose2d: the output would have -1 × -1 pixels/,
    ],
    [() => convTranspose2d(image, weight, null, { stride: 0 }), /stride must be .* ≥ 1/],
  ])('%s', (act, message) => {
    expect(act).toThrow(FirelightError);
    expect(act).toThrow(message);
  });
});
