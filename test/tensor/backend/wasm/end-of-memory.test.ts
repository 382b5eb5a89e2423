import { conv2d, setBackend, setThreads } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { directForward } from '../../../../packages/tensor/src/backend/wasm/kernels/conv2d/direct.ts';
import {
  depthwiseForward,
  depthwiseInputGrad,
  depthwiseWeightGrad,
} from '../../../../packages/tensor/src/backend/wasm/kernels/depthwise/depthwise.ts';
import type { Images } from '../../../../packages/tensor/src/backend/wasm/kernels/images/images.ts';
import {
  type Address,
  NOWHERE,
} from '../../../../packages/tensor/src/backend/wasm/runtime/address.ts';
import { inFrame } from '../../../../packages/tensor/src/backend/wasm/runtime/frame.ts';
import { runtime } from '../../../../packages/tensor/src/backend/wasm/runtime/runtime.ts';
import { seeds } from '../../../helpers/arbitraries.ts';
import { random } from '../../../helpers/evaluate.ts';

/**
 * Operands that are the last thing in memory: code that reads further than the few bytes that the
 * arena leaves there traps.
 */

const SLACK = 256;
const PAGE = 65_536;

/** Puts elements at the end of memory, on new pages that the arena does not know of. */
function atEndOfMemory(elements: ArrayLike<number>): Address {
  const { memory } = runtime();
  const bytes = elements.length * 4;
  memory.grow(Math.ceil((bytes + SLACK) / PAGE));
  const address = (memory.buffer.byteLength - SLACK - bytes) as Address;
  new Float32Array(memory.buffer, address, elements.length).set(elements);
  return address;
}

function imagesAt(address: Address, [count, channels, height, width]: readonly number[]): Images {
  return { address, count, channels, height, width, stride: channels * height * width * 4 };
}

const convolutions = fc.record({
  count: fc.integer({ min: 1, max: 12 }),
  channels: fc.integer({ min: 1, max: 3 }),
  outChannels: fc.integer({ min: 1, max: 9 }),
  height: fc.integer({ min: 3, max: 16 }),
  width: fc.integer({ min: 3, max: 16 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  seed: seeds,
});

afterAll(() => setBackend('wasm'));

test.each([true, false])(
  'a convolution reads no image behind the last one (wide vectors: %s)',
  async (wideVectors) => {
    await setBackend('wasm', { wideVectors, winograd: false });
    await setThreads(1);
    fc.assert(
      fc.property(convolutions, ({ count, channels, outChannels, height, width, ...rest }) => {
        const { kernel, stride, seed } = rest;
        const x = random([count, channels, height, width], seed);
        const weight = random([outChannels, channels, kernel, kernel], seed + 1);
        const expected = conv2d(x, weight, null, { stride });
        const [, , outHeight, outWidth] = expected.shape;
        const window = {
          kernelHeight: kernel,
          kernelWidth: kernel,
          strideHeight: stride,
          strideWidth: stride,
          dilationHeight: 1,
          dilationWidth: 1,
          padding: { top: 0, bottom: 0, left: 0, right: 0 },
          outHeight,
          outWidth,
          groups: 1,
        };
        const y = inFrame((frame) => {
          const output = frame.output(expected.shape);
          const { array } = weight;
          const address = frame.input(array);
          directForward(
            frame,
            imagesAt(atEndOfMemory(x.data), x.shape),
            { array, address, outChannels, groupChannels: channels, window },
            imagesAt(output.address, expected.shape),
            { mode: 0, bias: NOWHERE },
          );
          return output.array;
        });
        expect(y.data).toEqual(expected.data);
      }),
      { numRuns: 300 },
    );
  },
);

const depthwise = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  channels: fc.integer({ min: 2, max: 4 }),
  multiplier: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 5, max: 40 }),
  width: fc.integer({ min: 5, max: 40 }),
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  pixels: fc.integer({ min: 0, max: 2 }),
  seed: seeds,
});

test.each([true, false])(
  'nor does one of single channels, in any direction (wide vectors: %s)',
  async (wideVectors) => {
    await setBackend('wasm', { wideVectors });
    await setThreads(1);
    fc.assert(
      fc.property(depthwise, ({ count, channels, multiplier, height, width, ...rest }) => {
        const { kernel, stride, pixels, seed } = rest;
        const outChannels = channels * multiplier;
        const x = random([count, channels, height, width], seed, true);
        const weight = random([outChannels, 1, kernel, kernel], seed + 1, true);
        const y = conv2d(x, weight, null, { stride, padding: pixels, groups: channels });
        const gradOut = random(y.shape, seed + 2);
        y.backward(gradOut);
        const [, , outHeight, outWidth] = y.shape;
        const window = {
          kernelHeight: kernel,
          kernelWidth: kernel,
          strideHeight: stride,
          strideWidth: stride,
          dilationHeight: 1,
          dilationWidth: 1,
          padding: { top: pixels, bottom: pixels, left: pixels, right: pixels },
          outHeight,
          outWidth,
          groups: channels,
        };
        const filters = { outChannels, groupChannels: 1, window };
        const [output, gradX, gradWeight] = inFrame((frame) => {
          const results = [y, x, weight].map(({ shape }) => frame.output(shape));
          const addresses = results.map(({ address }) => address);
          const images = (data: ArrayLike<number>, { shape }: { shape: readonly number[] }) =>
            imagesAt(atEndOfMemory(data), shape);
          const weights = { ...filters, address: frame.input(weight.array) };
          const ending = { mode: 0, bias: NOWHERE };
          const target = imagesAt(addresses[0], y.shape);
          depthwiseForward(frame, images(x.data, x), weights, target, ending);
          const gradIn = imagesAt(addresses[1], x.shape);
          depthwiseInputGrad(frame, images(gradOut.data, y), null, weights, gradIn);
          const ofWeight = { ...filters, address: addresses[2] };
          // Only what is placed last is at the end.
          const isXLast = seed % 2 === 0;
          const early = isXLast ? null : images(x.data, x);
          const gradients = images(gradOut.data, y);
          const inputs = early ?? images(x.data, x);
          depthwiseWeightGrad(frame, inputs, gradients, null, ofWeight);
          return results.map(({ array }) => array);
        });
        expect(output.data).toEqual(y.data);
        expect(gradX.data).toEqual(x.grad?.data);
        expect(gradWeight.data).toEqual(weight.grad?.data);
      }),
      { numRuns: 100 },
    );
  },
  60_000,
);
