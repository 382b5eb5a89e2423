import { realpathSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
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
  function nodeProject(name: string, folder: string, exclude: readonly string[] = []) {
    const resolve = { conditions: ['development', 'module', 'node'] };
    return {
      resolve,
      ssr: { resolve },
      test: {
        name,
        include: [`${folder}/${files}`],
        exclude: [...configDefaults.exclude, ...exclude],
        // Worker threads of the data loader inherit it, and run from the sources too.
        execArgv: ['--conditions=development'],
        ...timeouts,
      },
    } satisfies TestProjectInlineConfiguration;
  }

  /** Tests that run in a page of headless Chromium, from the packages' sources too. */
  function browserProject(executablePath: string) {
    const shared = sharedPath();
    const sharedFolder = shared === null ? null : realpathSync(shared);
    return {
      resolve: { conditions: ['development', 'module', 'browser'] },
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
    return { test: { projects: [nodeProject(mode, `test/tensor/backend/gpu/${mode}`)] } };
  }

  const chromium = chromiumPath();
  if (chromium === null) {
    console.error(
      `No Chromium: the tests in ${BROWSER_TESTS} are skipped. ` +
        'Install it (Debian: apt-get install chromium) or name it in CHROME_BIN.',
    );
  }
  return {
    test: {
      maxWorkers: '100%',
      projects: [
        nodeProject('node', 'test', [
          `${BROWSER_TESTS}/**`,
          ...DEVICE_MODES.map((device) => `test/tensor/backend/gpu/${device}/**`),
        ]),
        ...(chromium === null ? [] : [browserProject(chromium)]),
      ],
    },
  };
});
