import { BackendError, conv2d, describeBackend, setBackend, tensor } from '@firelight/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type GpuJs,
  loadGpuJs,
} from '../../../../packages/tensor/src/backend/gpu/device/gpu-js.ts';
import {
  rendererOf,
  rendererOfAdapter,
} from '../../../../packages/tensor/src/backend/gpu/device/renderer.ts';
import { random } from '../../../helpers/evaluate.ts';

// How a device is chosen and described. Here Node runs without a display, so there is no GPU.

afterEach(() => setBackend('wasm'));

describe('setBackend', () => {
  test("'gpu' without a GPU says for each mode why, and changes nothing", async () => {
    await setBackend('reference');
    const error = await setBackend('gpu').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BackendError);
    expect((error as Error).message).toBe(
      "setBackend: 'gpu' cannot run here: webgl2: it needs a browser with WebGL2; headlessgl: it " +
        "needs Node with the optional package 'gl' compiled (npm explore gl -- node-gyp rebuild) " +
        'and a display (xvfb-run makes one); webgpu: in Node it needs the option webgpuModule: ' +
        "import.meta.resolve('webgpu'), after npm install webgpu; or use 'wasm'",
    );
    expect(describeBackend().name).toBe('reference');
  });

  test('with a mode that is not there throws, and never takes another', async () => {
    await expect(setBackend('gpu', { mode: 'webgl2' })).rejects.toThrow(
      "setBackend: 'gpu' cannot run here: webgl2: it needs a browser with WebGL2; or use 'wasm'",
    );
    await expect(setBackend('gpu', { mode: 'vulkan' as 'cpu' })).rejects.toThrow(
      "setBackend: there is no gpu mode 'vulkan'; choose one of 'webgl2', 'headlessgl', 'webgpu', " +
        "'webasm', 'cpu'",
    );
  });

  test('refuses the options of another backend', async () => {
    await expect(setBackend('wasm', { mode: 'cpu' })).rejects.toThrow(
      "setBackend: 'wasm' has no option 'mode'; it has the options winograd, relaxedSimd",
    );
    await expect(setBackend('gpu', { mode: 'cpu', winograd: true })).rejects.toThrow(
      "setBackend: 'gpu' has no option 'winograd'; it has the options mode, keepOnDevice, ",
    );
    await expect(setBackend('reference', { winograd: true })).rejects.toThrow(
      "setBackend: 'reference' has no option 'winograd'; it has no options",
    );
  });

  test('with webgpu passes on what stands in the way', async () => {
    const start = (file: string): Promise<void> =>
      setBackend('gpu', {
        mode: 'webgpu',
        webgpuModule: new URL(`../../../fixtures/processes/${file}`, import.meta.url).href,
      });
    await expect(start('no-adapter.mjs')).rejects.toThrow(
      'webgpu: WebGPU is there, but no adapter (no GPU, or no driver)',
    );
    await expect(start('missing.mjs')).rejects.toThrow(/webgpu: .*Cannot find module/);
    await expect(start('empty.mjs')).rejects.toThrow('webgpu: there is no navigator.gpu');
    await expect(start('ending-adapter.mjs')).rejects.toThrow(
      'webgpu: the thread with WebGPU is lost: it ended with code 3',
    );
    await expect(start('failing-device.mjs')).rejects.toThrow(
      "webgpu: gpu.js refuses 'probe': no device for you",
    );
  });

  test("'auto' takes wasm where there is no GPU, and says why", async () => {
    await setBackend('auto');
    const { name, summary } = describeBackend();
    expect(name).toBe('wasm');
    expect(summary).toContain("not 'gpu': webgl2: it needs a browser with WebGL2; headlessgl: it ");
  });

  test("'auto' honours a mode, and refuses what no backend knows", async () => {
    await setBackend('auto', { mode: 'webasm' });
    const { summary } = describeBackend();
    expect(summary).toContain(
      "; not 'gpu': webasm: 'gpu.js's WebAssembly' is software, slower than 'wasm'",
    );
    await expect(setBackend('auto', { mode: 'vulkan' as 'cpu' })).rejects.toThrow(
      "there is no gpu mode 'vulkan'",
    );
    await expect(setBackend('auto', { winogard: true } as object)).rejects.toThrow(
      "setBackend: 'auto' has no option 'winogard'; it has the options mode, keepOnDevice, ",
    );
  });

  test('starts a device once, however often it is chosen', async () => {
    const lib = (await loadGpuJs()) as { GPU: GpuJs['GPU'] };
    const { GPU } = lib;
    let made = 0;
    lib.GPU = class extends GPU {
      constructor(settings: ConstructorParameters<GpuJs['GPU']>[0]) {
        super(settings);
        made++;
      }
    };
    try {
      await setBackend('gpu', { mode: 'cpu' });
      made = 0;
      await setBackend('wasm');
      await Promise.all([1, 2].map(() => setBackend('gpu', { mode: 'cpu' })));
      expect(made).toBe(0);
    } finally {
      lib.GPU = GPU;
    }
  });
});

test.each([
  ['a library', 'gpu.js', 'gpu.js cannot be loaded (', "; install gpu.js, or use 'wasm'"],
  [
    'code of ours',
    '../../../../packages/tensor/src/backend/gpu/start-gpu.ts',
    "the code of 'gpu' cannot be loaded (",
    "); use 'wasm'",
  ],
])(
  '%s that cannot be loaded is a reason for auto, and an error for gpu',
  async (_, module, reason, hint) => {
    vi.doMock(module, () => {
      throw new Error('Cannot find package');
    });
    vi.resetModules();
    try {
      const fresh = await import('@firelight/tensor');
      await fresh.setBackend('auto');
      expect(fresh.describeBackend().name).toBe('wasm');
      expect(fresh.describeBackend().summary).toContain(`not 'gpu': ${reason}`);
      await expect(fresh.setBackend('gpu')).rejects.toThrow(hint);
    } finally {
      vi.doUnmock(module);
      vi.resetModules();
    }
  },
);

test('kernels of a backend that was not started say so', async () => {
  vi.resetModules();
  const registry = '../../../../packages/tensor/src/backend/registry.ts';
  const { withBackend } = await import(registry);
  const fresh = await import('@firelight/tensor');
  const run = () => fresh.conv2d(fresh.ones([1, 1, 1, 1]), fresh.ones([1, 1, 1, 1]));
  expect(() => withBackend('gpu', run)).toThrow(
    "gpu: the backend was not started; call await setBackend('gpu') first",
  );
});

describe('describeBackend', () => {
  test('names the class of kernels, what computes, and who does the rest', async () => {
    await setBackend('gpu', { mode: 'webasm' });
    const { name, summary, kernels } = describeBackend();
    expect(name).toBe('gpu');
    expect(summary).toBe(
      "gpu: gpu.js in mode webasm (WebAssemblyKernel) on 'gpu.js's WebAssembly' (software); " +
        "convolutions in float32, kept on the device; the rest on 'wasm', other dtypes on 'reference'",
    );
    const declined = [
      { calls: 'arrays without elements', backend: 'reference' },
      { calls: 'other dtypes than float32', backend: 'reference' },
    ];
    expect(kernels.conv2d).toEqual({ backend: 'gpu', reason: null, declined });
    expect(kernels.conv2dGrad).toEqual({ backend: 'gpu', reason: null, declined });
    const reason = "'gpu' has no kernel for it";
    expect(kernels.avgPool2dGrad.backend).toBe('wasm');
    expect(kernels.maxPool2d).toEqual({
      backend: 'wasm',
      reason,
      declined: [...declined, { calls: 'windows with dilation', backend: 'reference' }],
    });
    expect(kernels.gather.backend).toBe('wasm');
    await setBackend('gpu', { mode: 'cpu', keepOnDevice: false });
    expect(describeBackend().summary).toBe(
      "gpu: gpu.js in mode cpu (CPUKernel) on 'gpu.js's JavaScript' (software); convolutions in " +
        "float32; the rest on 'wasm', other dtypes on 'reference'",
    );
  });
});

test('float64 is left to the reference backend', async () => {
  const x = tensor(
    Float64Array.from({ length: 18 }, (_, i) => i / 7),
    { shape: [1, 2, 3, 3] },
  );
  const weight = tensor(new Float64Array([0.1, 0.3]), { shape: [1, 2, 1, 1] });
  await setBackend('reference');
  const expected = conv2d(x, weight).data.slice();
  await setBackend('gpu', { mode: 'webasm' });
  expect(conv2d(x, weight).data).toEqual(expected);
});

test('an empty batch gives an empty result', async () => {
  await setBackend('gpu', { mode: 'webasm' });
  const y = conv2d(tensor(new Float32Array(0), { shape: [0, 2, 3, 3] }), random([4, 2, 1, 1], 1));
  expect(y.shape).toEqual([0, 4, 3, 3]);
});

describe('hardware and software are told apart', () => {
  const context = (name: string, hasExtension: boolean) => ({
    NO_ERROR: 0,
    RENDERER: 1,
    getError: () => 0,
    getExtension: () => (hasExtension ? { UNMASKED_RENDERER_WEBGL: 2 } : null),
    getParameter: (parameter: number) => (parameter === 2 ? name : hasExtension ? 'WebKit' : name),
  });

  test.each([
    ['ANGLE (NVIDIA, NVIDIA GeForce RTX 4090 Direct3D11 vs_5_0 ps_5_0)', true, true],
    [
      'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)',
      true,
      false,
    ],
    ['llvmpipe (LLVM 15.0.6, 256 bits)', false, false],
    ['ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11)', true, false],
    ['ANGLE', false, null],
    ['Mozilla', true, null],
  ])('%s', (name, hasExtension, isHardware) => {
    expect(rendererOf(context(name, hasExtension))).toEqual({ renderer: name, isHardware });
  });

  test('by an adapter of WebGPU', () => {
    expect(rendererOfAdapter({ vendor: 'nvidia', architecture: 'hopper' })).toEqual({
      renderer: 'nvidia, hopper',
      isHardware: true,
    });
    expect(rendererOfAdapter({ vendor: 'google', architecture: 'swiftshader' })).toEqual({
      renderer: 'google, swiftshader',
      isHardware: false,
    });
    expect(rendererOfAdapter({ device: 'x', isFallbackAdapter: true }).isHardware).toBe(false);
    expect(rendererOfAdapter({})).toEqual({ renderer: 'unnamed adapter', isHardware: null });
  });
});
