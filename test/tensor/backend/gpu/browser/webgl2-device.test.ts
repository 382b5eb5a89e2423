import { conv2d, ones, setBackend, type Tensor, tensor, tidy } from '@firelight/tensor';
import { afterAll, expect, test } from 'vitest';
import { loadGpuJs } from '../../../../../packages/tensor/src/backend/gpu/device/gpu-js.ts';
import { LocalDevice } from '../../../../../packages/tensor/src/backend/gpu/device/local-device.ts';
import { groupedLayout } from '../../../../../packages/tensor/src/backend/gpu/layout/channel-layout.ts';
import { packImages } from '../../../../../packages/tensor/src/backend/gpu/programs/pack.ts';

// What only a real device shows: textures that outlive kernels, many planes, a lost context.

const timeout = 120_000; // A software GPU on two cores.

// Before gpu.js asks for any: the contexts that it gets.
const contexts: WebGL2RenderingContext[] = [];
const { getContext } = HTMLCanvasElement.prototype;
HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, ...args: unknown[]) {
  const context = Reflect.apply(getContext, this, args);
  if (context instanceof WebGL2RenderingContext) contexts.push(context);
  return context;
} as typeof getContext;

afterAll(async () => {
  HTMLCanvasElement.prototype.getContext = getContext;
  await setBackend('wasm');
});

test(
  'results stay right while kernels come and go',
  async () => {
    // Room for a few kernels: each new size throws out another one.
    const device = new LocalDevice(await loadGpuJs(), 'webgl2', 20_000);
    const results = Array.from({ length: 60 }, (_, i) => {
      const width = i + 1;
      const values = Float32Array.from({ length: 4 * width }, (_, k) => 1000 * i + k);
      const program = packImages([1, 4, 1, width], groupedLayout(4, 1));
      return { width, i, array: device.run(program, [values]) };
    });
    // Every third one is freed first, so that its kernel may go.
    const kept = results.filter(({ i, array }) => {
      if (i % 3 === 0) device.free(array);
      return i % 3 !== 0;
    });
    device.run(packImages([1, 4, 40, 40], groupedLayout(4, 1)), [new Float32Array(6400)]);
    for (const { width, i, array } of kept) {
      const texels = device.read(array);
      for (let w = 0; w < width; w++) {
        const pixel = [0, 1, 2, 3].map((c) => 1000 * i + c * width + w);
        expect(Array.from(texels.subarray(4 * w, 4 * w + 4))).toEqual(pixel);
      }
    }
  },
  timeout,
);

test(
  'more planes than a kernel can count are computed in parts',
  async () => {
    await setBackend('gpu', { mode: 'webgl2' });
    const images = 4_190_000; // of two quads each; it goes wrong from image 3,355,443 on
    const values = Float32Array.from({ length: 5 * images }, (_, i) => i % 1009);
    const identity = tensor(Float32Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0)));
    const weight = tensor(identity.data as Float32Array, { shape: [5, 5, 1, 1] });
    const y = conv2d(tensor(values, { shape: [images, 5, 1, 1] }), weight);
    const wrong = (y.data as Float32Array).findIndex((value, i) => value !== values[i]);
    expect(wrong).toBe(-1);
  },
  timeout,
);

test(
  'an error that WebGL only reports is noticed, and the next setBackend starts anew',
  async () => {
    await setBackend('gpu', { mode: 'webgl2' });
    const run = (): Tensor => conv2d(ones([1, 4, 5, 5]), ones([4, 4, 1, 1]));
    let failures = 1;
    for (const context of contexts) {
      const getError = context.getError.bind(context);
      context.getError = () => (failures-- > 0 ? context.OUT_OF_MEMORY : getError());
    }
    const message = 'gpu: WebGL reports error 1285 (out of memory), and what is on the device may';
    expect(() => tidy(() => run().data)).toThrow(message);
    expect(() => tidy(() => run().data)).toThrow(message);
    await setBackend('gpu', { mode: 'webgl2' });
    expect(run().data[0]).toBe(4);
  },
  timeout,
);

test(
  'a lost context is noticed, and the next setBackend starts anew',
  async () => {
    await setBackend('gpu', { mode: 'webgl2' });
    const run = (size: number): Tensor => conv2d(ones([1, 4, size, size]), ones([4, 4, 1, 1]));
    expect(run(3).data[0]).toBe(4);
    for (const context of contexts) context.getExtension('WEBGL_lose_context')?.loseContext();
    const lost = 'gpu: the browser took the GPU away (context lost), and what was on it is gone; ';
    expect(() => run(3).data).toThrow(lost);
    expect(() => run(4).data).toThrow(lost);
    await setBackend('gpu', { mode: 'webgl2' });
    expect(run(3).data[0]).toBe(4);
  },
  timeout,
);
