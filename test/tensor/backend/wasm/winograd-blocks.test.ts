import { setBackend, setThreads } from '@firelight/tensor';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { cutIntoBlocks } from '../../../../packages/tensor/src/backend/wasm/kernels/winograd/blocks.ts';
import { checkConvolution } from '../../../helpers/convolution-parity.ts';
import { WINOGRAD_ERROR } from '../../../helpers/tolerances.ts';

afterAll(() => setBackend('wasm'));

test('tiles are cut into whole images or into even shares of one', () => {
  const cut = (height: number, width: number, most: number) =>
    cutIntoBlocks(4, { height, width }, most, 16);
  expect(cut(8, 8, 64)).toEqual({ tiles: 64, images: 16, tileRows: 2, blocksOfImage: 1 });
  expect(cut(16, 15, 48)).toEqual({ tiles: 48, images: 3, tileRows: 4, blocksOfImage: 1 });
  expect(cut(32, 32, 64)).toEqual({ tiles: 64, images: 1, tileRows: 8, blocksOfImage: 1 });
  expect(cut(64, 64, 64)).toEqual({ tiles: 64, images: 1, tileRows: 4, blocksOfImage: 4 });
  expect(cut(32, 32, 48)).toEqual({ tiles: 32, images: 1, tileRows: 4, blocksOfImage: 2 });
  // Neither are 16, 32, 48 nor 64 tiles whole images of 49.
  expect(cut(28, 28, 64)).toBeNull();
  // Less than half of what would be best.
  expect(cut(4, 1020, 64)).toBeNull();
});

/** Most products of a convolution, for its time on the reference backend. */
const MOST = 4e6;

/** Images, and the zeros around them, whose tiles come in whole blocks more often than not. */
const convolutions = fc
  .record({
    count: fc.integer({ min: 1, max: 70 }),
    channels: fc.integer({ min: 9, max: 40 }),
    outChannels: fc.integer({ min: 9, max: 40 }),
    outHeight: fc.constantFrom(2, 4, 7, 8, 12, 15, 16, 32, 64),
    outWidth: fc.constantFrom(2, 4, 7, 8, 12, 15, 16, 32, 64),
    padding: fc.tuple(...Array.from({ length: 4 }, () => fc.nat({ max: 2 }))),
    activation: fc.constantFrom('none' as const, 'relu' as const),
    seed: fc.nat(),
  })
  .filter(
    ({ count, channels, outChannels, outHeight, outWidth, padding: [top, bottom, left, right] }) =>
      count * channels * outChannels * outHeight * outWidth * 9 <= MOST &&
      outHeight + 2 > top + bottom &&
      outWidth + 2 > left + right,
  );

test.each([1, 2])(
  'zeros that are added block by block are those of padded images, on %i threads',
  async (threads) => {
    setThreads(threads);
    await fc.assert(
      fc.asyncProperty(convolutions, async (drawn) => {
        const { count, channels, outChannels, outHeight, outWidth, padding, ...rest } = drawn;
        const [top, bottom, left, right] = padding;
        const x = [count, channels, outHeight + 2 - top - bottom, outWidth + 2 - left - right];
        const weight = [outChannels, channels, 3, 3];
        const window = {
          groups: 1,
          stride: 1,
          dilation: 1,
          padding: [top, bottom, left, right],
        } as const;
        const branches = [{ weight, ...window }];
        const call = { x, branches, hasBias: drawn.activation === 'relu', ...rest };
        await checkConvolution(call, { backend: 'wasm', tolerance: WINOGRAD_ERROR });
      }),
      { seed: 20161104, numRuns: 40 },
    );
  },
);
