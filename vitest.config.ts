import { defineConfig } from 'vitest/config';

// Tests run from the packages' sources, so nothing has to be built first.
const resolve = { conditions: ['development', 'module', 'node'] };

export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  return {
    resolve,
    ssr: { resolve },
    test: {
      include: [long ? 'test/**/*.long.test.ts' : 'test/**/!(*.long).test.ts'],
      maxWorkers: '100%',
      // Worker threads of the data loader inherit it, and run from the sources too.
      execArgv: ['--conditions=development'],
      testTimeout: long ? 1_800_000 : 30_000,
      hookTimeout: 30_000,
    },
  };
});
