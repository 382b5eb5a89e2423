import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fuzzOnnx } from '../../../helpers/fuzz-onnx.ts';

test.each(['vit-9', 'vit-17', 'resnet20', 'upsampler'])(
  '2500 files with changed bytes of %s',
  async (name) => {
    const path = new URL(`../../../fixtures/onnx/${name}.onnx`, import.meta.url);
    const { read, refused, slowest } = await fuzzOnnx(readFileSync(path), 2500);
    expect(Math.min(read, refused)).toBeGreaterThan(20);
    // Far below what a count that a file only claims would take.
    expect(slowest).toBeLessThan(2000);
  },
  300_000,
);
