import { GPU, HeadlessGLKernel } from 'gpu.js';
import { expect, test } from 'vitest';

const gpu = new GPU({ mode: 'headlessgl' });
const add = gpu.createKernel('function (a, b) { return a[this.thread.x] + b[this.thread.x]; }', {
  output: [3],
  precision: 'single',
});

test('gpu.js adds on headless-gl', () => {
  expect(GPU.isHeadlessGLSupported).toBe(true);
  expect(add([1, 2, 3], [0.5, 0.25, 0.125])).toEqual(Float32Array.of(1.5, 2.25, 3.125));
  // Where there is no display, gpu.js quietly takes another kind of kernel.
  expect(add.kernel.constructor).toBe(HeadlessGLKernel);
});

// So nobody can say from it whether a GPU or Mesa's software renderer computes.
test('headless-gl hides what draws', () => {
  const gl: WebGLRenderingContext = gpu.context;
  expect(gl.getParameter(gl.RENDERER)).toBe('ANGLE');
  expect(gl.getExtension('WEBGL_debug_renderer_info')).toBeNull();
});
