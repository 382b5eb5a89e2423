import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fuzzBoundedReader } from '../../../helpers/fuzz-bounded.ts';
import { readOnnx } from '../../../helpers/read-onnx.ts';

test.each(['vit-9', 'vit-17', 'resnet20', 'upsampler'])(
  '10,000 files with changed bytes of %s',
  async (name) => {
    const path = new URL(`../../../fixtures/onnx/${name}.onnx`, import.meta.url);
    const { read, refused } = await fuzzBoundedReader([readFileSync(path)], readOnnx);
    expect(Math.min(read, refused)).toBeGreaterThan(100);
  },
);
