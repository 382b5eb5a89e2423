import { expect, test } from 'vitest';
import type { Gpu, GpuKernel } from '../../../../packages/tensor/src/backend/gpu/device/gpu-js.ts';
import { KernelCache } from '../../../../packages/tensor/src/backend/gpu/device/kernel-cache.ts';
import { defineProgram } from '../../../../packages/tensor/src/backend/gpu/programs/program.ts';

const program = (name: string) =>
  defineProgram(name, { output: [1, 1, 1], parameters: {}, body: `return [${name}, 0, 0, 0];` });

test('keeps the kernels used last, and never destroys one whose result is in use', () => {
  const made: string[] = [];
  const destroyed: string[] = [];
  const gpu: Gpu = {
    context: null,
    createKernel(source) {
      const name = /return \[(\d)/.exec(source)?.[1] ?? '';
      made.push(name);
      const kernel = { kernel: { constructor: null }, context: null };
      return Object.assign(() => null, kernel, {
        destroy: () => void destroyed.push(name),
      }) as unknown as GpuKernel;
    },
  };
  const cache = new KernelCache(gpu, 2 * 16); // Each holds a texel of 16 bytes.
  const first = cache.kernelFor(program('1'));
  first.resultsInUse++;
  const second = cache.kernelFor(program('2'));
  expect(cache.kernelFor(program('2'))).toBe(second);
  expect(cache.kernelFor(program('1'))).toBe(first);
  cache.kernelFor(program('3'));
  expect(destroyed).toEqual(['2']);
  cache.kernelFor(program('4'));
  expect(destroyed).toEqual(['2', '3']);
  first.resultsInUse--;
  cache.kernelFor(program('5'));
  expect(destroyed).toEqual(['2', '3', '1']);
  expect(made).toEqual(['1', '2', '3', '4', '5']);
});

test('counts what comes from the host, and gives everything back when told to', () => {
  const destroyed: string[] = [];
  const gpu: Gpu = {
    context: null,
    createKernel: () =>
      Object.assign(() => null, {
        kernel: { constructor: null },
        destroy: () => void destroyed.push('kernel'),
      }) as unknown as GpuKernel,
  };
  const withInput = (body: string) =>
    defineProgram('input', { output: [1, 1, 1], parameters: { x: [10, 1, 1] }, body });
  const cache = new KernelCache(gpu, 2 * (16 + 80) - 1); // Each holds a texel and twice the input.
  cache.kernelFor(withInput('a'));
  cache.kernelFor(withInput('b'));
  expect(destroyed).toHaveLength(1);
  cache.destroyAll();
  expect(destroyed).toHaveLength(2);
});
