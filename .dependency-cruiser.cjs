const { layers, source } = require('./lint/layers.cjs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment:
        'a package offers only what its exports name; benchmarks install their peers elsewhere, and ' +
        'Vite resolves ?worker',
      severity: 'error',
      from: { pathNot: '^test/bench/contenders/.*\\.mjs$' },
      to: { couldNotResolve: true, pathNot: '\\?worker$' },
    },

    ...layers,
    {
      name: 'tensor-no-silent-fallback',
      comment: 'a kernel declines a call (backend/declined.ts) and never passes it on by itself',
      severity: 'error',
      from: { path: `${source('tensor')}/backend/(wasm|gpu)/` },
      to: { path: `${source('tensor')}/backend/reference/` },
    },
    {
      name: 'no-own-index',
      comment: "inside a package, import the file that holds the thing, not the package's index",
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/', pathNot: '^packages/data/src/worker\\.ts$' },
      to: { path: '^packages/$1/src/index\\.ts$' },
    },

    {
      name: 'tensor-alone',
      severity: 'error',
      from: { path: '^packages/tensor/' },
      to: { path: '^packages/(nn|data)/' },
    },
    {
      name: 'nn-without-data',
      severity: 'error',
      from: { path: '^packages/nn/' },
      to: { path: '^packages/data/' },
    },
    {
      name: 'data-without-nn',
      severity: 'error',
      from: { path: '^packages/data/' },
      to: { path: '^packages/nn/' },
    },
    {
      name: 'packages-by-name',
      comment: 'packages import each other by package name, never by relative path',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: {
        path: '^packages/',
        pathNot: '^packages/$1/',
        dependencyTypesNot: ['aliased-workspace'],
      },
    },
    {
      name: 'examples-by-name',
      comment: 'examples show what a user can write: they import packages by name',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(packages|test)/', dependencyTypesNot: ['aliased-workspace'] },
    },
    {
      name: 'packages-above-the-rest',
      comment: 'packages know nothing of examples and tests',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(examples|test)/' },
    },

    {
      name: 'only-gpu-imports-gpu-js',
      severity: 'error',
      from: { pathNot: [`${source('tensor')}/backend/gpu/`, '^test/tensor/backend/gpu/'] },
      to: { path: '(^|/)gpu\\.js(/|$)', pathNot: '^packages/' },
    },
    {
      name: 'packages-declare-dependencies',
      comment: "packages import nothing but their own package.json's dependencies",
      severity: 'error',
      from: { path: '^packages/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'packages-without-native',
      comment: 'no native module can be reached from a package',
      severity: 'error',
      from: { path: '^packages/' },
      to: {
        path: [
          '\\.node$',
          '(^|/)node_modules/(gl|koffi|sharp|webgpu|canvas|onnxruntime-node|@napi-rs/[^/]+)(/|$)',
        ],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^packages/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true, // the root's `workspaces` tell an import by name from a relative one
    enhancedResolveOptions: {
      conditionNames: ['@firelight/source', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
