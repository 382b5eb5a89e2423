import { realpathSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { chromiumPath } from './test/helpers/browser.ts';
import { sharedPath } from './test/helpers/shared.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder `../shared` as a page may ask the test server for it; null where there is none. */
    readonly sharedUrl: string | null;
  }
}

const BROWSER_TESTS = 'test/tensor/backend/gpu/browser';
/** Devices that only tests of their own ask for (npm run test:headless-gl, npm run test:webgpu). */
const DEVICE_MODES = ['headless-gl', 'webgpu'];

/**
 * Files that need a process of their own, since they watch the process itself (what it holds after a
 * garbage collection, its threads, the turns of its event loop) or change what it has only once. All
 * others share a few, which saves them most of their time: importing the packages and compiling kernels.
 */
const ALONE = [
  'test/data/cifar/python-batch.test.ts',
  'test/data/images/fuzz-pictures.test.ts',
  'test/data/loader/*.test.ts',
  'test/large-sizes.test.ts',
  'test/nn/checkpoint/{foreign,formats}.test.ts',
  'test/nn/formats/{numpy,save-pytorch}.test.ts',
  'test/nn/models/vision-transformer.test.ts',
  'test/nn/optimizers/{lookahead,muon,optimizers,parameter-groups}.test.ts',
  'test/tensor/autograd/{memory,tensor-data}.test.ts',
  'test/tensor/backend/gpu/*.test.ts',
  'test/tensor/backend/register-backend.test.ts',
  'test/tensor/backend/wasm/{depthwise,end-of-memory,faulty-task,kept-copies,memory}.test.ts',
  'test/tensor/backend/wasm/{own-kernel,runtime,threads,wide-vectors}.test.ts',
  'test/tensor/formats/pickle.test.ts',
  'test/tensor/higher-order/{checkpointed,gradients}.test.ts',
  'test/tensor/ops/{all-ops,empty,interpolate,operands}.test.ts',
];

/** Files that run alone come first: a shared process ends when another kind of file is next. */
class AloneFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isAlone = ({ project }: TestSpecification): number => Number(project.config.isolate);
    return (await super.sort(files)).sort((a, b) => isAlone(b) - isAlone(a));
  }
}

/** SwiftShader stands in for a GPU, for WebGL2 as well as for WebGPU. */
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--ignore-gpu-blocklist',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

export default defineConfig(({ mode }) => {
  const files = mode === 'long' ? '**/*.long.test.ts' : '**/!(*.long).test.ts';
  const timeouts = { testTimeout: mode === 'long' ? 1_800_000 : 30_000, hookTimeout: 30_000 };

  /** Tests that run in Node, from the packages' sources, so nothing has to be built first. */
  function nodeProject(
    name: string,
    {
      include,
      exclude = [],
      isolate = true,
    }: { include: string[]; exclude?: readonly string[]; isolate?: boolean },
  ) {
    const resolve = { conditions: ['@firelight/source', 'module', 'node'] };
    return {
      resolve,
      ssr: { resolve },
      test: {
        name,
        include,
        exclude: [...configDefaults.exclude, ...exclude],
        isolate,
        setupFiles: ['test/helpers/as-started.ts'],
        // Worker threads of the data loader inherit it, and run from the sources too.
        execArgv: ['--conditions=@firelight/source'],
        ...timeouts,
      },
    } satisfies TestProjectInlineConfiguration;
  }

  /** Tests that run in a page of headless Chromium, from the packages' sources too. */
  function browserProject(executablePath: string) {
    const shared = sharedPath();
    const sharedFolder = shared === null ? null : realpathSync(shared);
    return {
      resolve: { conditions: ['@firelight/source', 'module', 'browser'] },
      // Bundled before the first test: the backend imports it lazily, and when Vite finds a package
      // late, it reloads the page during the tests.
      optimizeDeps: { include: ['gpu.js'] },
      server: {
        // With them a page may share memory between threads.
        headers: {
          'Cross-Origin-Opener-Policy': 'same-origin',
          'Cross-Origin-Embedder-Policy': 'require-corp',
        },
        fs: { allow: ['.', ...(sharedFolder === null ? [] : [sharedFolder])] },
      },
      test: {
        name: 'browser',
        include: [`${BROWSER_TESTS}/${files}`],
        provide: { sharedUrl: sharedFolder === null ? null : `/@fs${sharedFolder}` },
        // The software GPU takes all cores: one page at a time, after the tests in Node.
        fileParallelism: false,
        browser: {
          enabled: true,
          headless: true,
          ui: false,
          screenshotFailures: false,
          provider: playwright({ launchOptions: { executablePath, args: CHROMIUM_FLAGS } }),
          instances: [{ browser: 'chromium' }],
        },
        ...timeouts,
      },
    } satisfies TestProjectInlineConfiguration;
  }

  if (DEVICE_MODES.includes(mode)) {
    const include = [`test/tensor/backend/gpu/${mode}/${files}`];
    return { test: { projects: [nodeProject(mode, { include })] } };
  }

  const chromium = chromiumPath();
  if (chromium === null) {
    console.error(
      `No Chromium: the tests in ${BROWSER_TESTS} are skipped. ` +
        'Install it (Debian: apt-get install chromium) or name it in CHROME_BIN.',
    );
  }
  const elsewhere = [
    `${BROWSER_TESTS}/**`,
    ...DEVICE_MODES.map((device) => `test/tensor/backend/gpu/${device}/**`),
  ];
  // Long tests are few, and each takes far longer than a process to start.
  const isLong = mode === 'long';
  return {
    test: {
      maxWorkers: '100%',
      sequence: { sequencer: AloneFirst },
      projects: [
        nodeProject('node', {
          include: [`test/${files}`],
          exclude: isLong ? elsewhere : [...elsewhere, ...ALONE],
          isolate: isLong,
        }),
        nodeProject('node-alone', {
          include: isLong ? [] : ALONE,
          exclude: [...elsewhere, '**/*.long.test.ts'],
        }),
        ...(chromium === null ? [] : [browserProject(chromium)]),
      ],
    },
  };
});
