import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, SqueezeNet } from '@firelight/nn';
import { exportNames, MINDSPORE, openLayersModel, SONGHAN } from '@firelight/nn/formats';
import { Generator, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMindSpore } from '../../../packages/nn/src/formats/mindspore/encode.ts';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { hasInterop, interopPath } from '../../helpers/interop.ts';
import { jsonMutantsOf } from '../../helpers/json-mutations.ts';
import { readAll } from '../../helpers/read-all.ts';

/** No file may take longer, of any kind. */
const MOST_MILLISECONDS = 2000;

/** Files of each format, of other programs and of ours. */
function originals(): Record<string, readonly Uint8Array[]> {
  const small = { metaparameters: { baseExpand: 8, expandIncrement: 8 }, numClasses: 2 };
  const network = new SqueezeNet({ ...small, generator: new Generator(1) });
  const tensors = {
    ...exportNames(network, 'mindspore'),
    learning_rate: tensor(0.1),
    global_step: tensor([3], { dtype: 'int32' }),
  };
  const files = ['hand-all.ckpt', 'hand-crc.ckpt', 'mindarmour-lenet-10_1875.ckpt'];
  return {
    [MINDSPORE.name]: [
      ...files.map((name) => readFileSync(interopPath(name))),
      encodeMindSpore({ tensors, metadata: { model: 'SqueezeNet' } }),
    ],
    [SONGHAN.name]: [readFileSync(interopPath('compressed_SqueezeNet.net'))],
  };
}

describe.skipIf(!hasInterop)('10,000 changed files (skipped without ../shared/interop)', () => {
  test.each([MINDSPORE.name, SONGHAN.name])(
    'of %s are read or refused, and none takes long',
    async (name) => {
      let longest = 0;
      let most = 0;
      const { read, refused } = await fuzzReader(
        originals()[name],
        async (bytes) => {
          const start = performance.now();
          const before = process.memoryUsage().arrayBuffers;
          await readAll(bytes).finally(() => {
            longest = Math.max(longest, performance.now() - start);
            most = Math.max(most, process.memoryUsage().arrayBuffers - before - 4 * bytes.length);
          });
        },
        { numRuns: 10_000 },
      );
      expect(Math.min(read, refused)).toBeGreaterThan(100);
      expect(longest).toBeLessThan(MOST_MILLISECONDS);
      expect(most).toBeLessThan(64e6);
    },
  );
});

test('10,000 changed models of TensorFlow.js are read or refused, and none takes long', async () => {
  const path = join(import.meta.dirname, '../../fixtures/tfjs/convolutions.json');
  const found = JSON.parse(readFileSync(path, 'utf8'));
  const files = Object.entries<string>(found.shards).map(([name, text]) => [
    name,
    new Uint8Array(Buffer.from(text, 'base64')),
  ]);
  const shards: Record<string, Uint8Array> = Object.fromEntries(files);
  let longest = 0;
  const property = fc.asyncProperty(jsonMutantsOf(found.model), async (model) => {
    const start = performance.now();
    try {
      await openLayersModel({ model: new TextEncoder().encode(JSON.stringify(model)), shards });
    } catch (error) {
      expect(error).toBeInstanceOf(CheckpointError);
    }
    longest = Math.max(longest, performance.now() - start);
  });
  await fc.assert(property, { numRuns: 10_000 });
  expect(longest).toBeLessThan(MOST_MILLISECONDS);
});
