/**
 * The layers of each package, from the bottom to the top: a folder, or a file that lies beside folders,
 * then what it may import besides itself. That stands above it in the list, so no circle can be written.
 */
const LAYERS = {
  tensor: [
    ['core'],
    ['backend/kernels', 'core'],
    ['backend/offsets', 'core'],
    ['backend/reference', 'core', 'backend/kernels', 'backend/offsets'],
    ['backend/declined', 'core', 'backend/kernels'],
    ['backend/host'],
    ['backend/backend', 'backend/kernels', 'backend/declined'],
    ['backend/wasm/assembler'],
    ['backend/wasm/micro-kernel', 'backend/wasm/assembler'],
    [
      'backend/wasm/runtime',
      'core',
      'backend/host',
      'backend/wasm/assembler',
      'backend/wasm/micro-kernel',
    ],
    ['backend/wasm/kernels/lanes', 'backend/wasm/assembler'],
    [
      'backend/wasm/kernels/loops',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/lanes',
    ],
    [
      'backend/wasm/kernels/gemm',
      'core',
      'backend/kernels',
      'backend/offsets',
      'backend/wasm/assembler',
      'backend/wasm/micro-kernel',
      'backend/wasm/runtime',
      'backend/wasm/kernels/loops',
    ],
    [
      'backend/wasm/kernels/movement',
      'core',
      'backend/kernels',
      'backend/declined',
      'backend/wasm/runtime',
      'backend/wasm/kernels/loops',
    ],
    [
      'backend/wasm/kernels/reduce',
      'core',
      'backend/kernels',
      'backend/declined',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/lanes',
      'backend/wasm/kernels/loops',
    ],
    [
      'backend/wasm/kernels/elementwise',
      'core',
      'backend/kernels',
      'backend/declined',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/movement',
    ],
    [
      'backend/wasm/kernels/softmax',
      'core',
      'backend/kernels',
      'backend/declined',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/lanes',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/elementwise',
    ],
    [
      'backend/wasm/kernels/images',
      'core',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/lanes',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/gemm',
    ],
    [
      'backend/wasm/kernels/winograd',
      'core',
      'backend/wasm/assembler',
      'backend/wasm/micro-kernel',
      'backend/wasm/runtime',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/images',
    ],
    [
      'backend/wasm/kernels/conv2d',
      'core',
      'backend/kernels',
      'backend/wasm/micro-kernel',
      'backend/wasm/runtime',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/gemm',
      'backend/wasm/kernels/reduce',
      'backend/wasm/kernels/images',
      'backend/wasm/kernels/winograd',
    ],
    [
      'backend/wasm/kernels/pool2d',
      'core',
      'backend/kernels',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/reduce',
    ],
    [
      'backend/wasm/kernels/batch-norm',
      'core',
      'backend/kernels',
      'backend/wasm/assembler',
      'backend/wasm/runtime',
      'backend/wasm/kernels/lanes',
      'backend/wasm/kernels/loops',
      'backend/wasm/kernels/reduce',
    ],
    [
      'backend/wasm/wasm-backend',
      'core',
      'backend/declined',
      'backend/backend',
      'backend/wasm/runtime',
      'backend/wasm/kernels',
    ],
    ['backend/wasm/index', 'backend/wasm/wasm-backend'],
    ['backend/gpu/layout'],
    ['backend/gpu/programs', 'core', 'backend/gpu/layout'],
    ['backend/gpu/device', 'core', 'backend/backend', 'backend/gpu/layout', 'backend/gpu/programs'],
    [
      'backend/gpu/webgpu',
      'core',
      'backend/host',
      'backend/backend',
      'backend/gpu/programs',
      'backend/gpu/device',
    ],
    [
      'backend/gpu/conv2d',
      'core',
      'backend/kernels',
      'backend/declined',
      'backend/gpu/layout',
      'backend/gpu/programs',
      'backend/gpu/device',
    ],
    [
      'backend/gpu/gpu-backend',
      'core',
      'backend/backend',
      'backend/gpu/device',
      'backend/gpu/webgpu',
      'backend/gpu/conv2d',
    ],
    ['backend/gpu/index', 'backend/gpu/gpu-backend'],
    ['backend/dispatch', 'core', 'backend/kernels', 'backend/declined', 'backend/backend'],
    ['backend/registry', 'core', 'backend'],
    ['autograd', 'core', 'backend'],
    ['ops', 'core', 'backend', 'autograd'],
    ['extend', 'core', 'backend', 'autograd', 'ops'],
    ['index', 'core', 'backend', 'autograd', 'ops'],
  ],
  nn: [
    ['core'],
    ['module', 'core'],
    ['checkpoint', 'core', 'module'],
    ['initializers', 'core'],
    ['metrics', 'core'],
    ['losses', 'core', 'module'],
    ['schedules', 'core'],
    ['layers', 'module', 'initializers'],
    ['models', 'module', 'initializers', 'layers'],
    ['optimizers', 'core', 'module'],
    ['training', 'core', 'module', 'checkpoint', 'metrics', 'optimizers'],
    ['callbacks', 'core', 'checkpoint', 'metrics', 'training'],
    ['summary', 'module', 'layers'],
    [
      'index',
      'core',
      'module',
      'checkpoint',
      'initializers',
      'metrics',
      'losses',
      'schedules',
      'layers',
      'models',
      'optimizers',
      'training',
      'callbacks',
      'summary',
    ],
  ],
  data: [
    ['core'],
    ['transforms', 'core'],
    ['batch-transforms', 'core'],
    ['archive', 'core'],
    ['images', 'core'],
    ['loader', 'core', 'transforms', 'batch-transforms'],
    ['published', 'core', 'transforms', 'archive', 'loader'],
    ['cifar', 'core', 'transforms', 'archive', 'published'],
    ['idx', 'core', 'transforms', 'archive', 'published'],
    [
      'index',
      'core',
      'transforms',
      'batch-transforms',
      'archive',
      'images',
      'loader',
      'published',
      'cifar',
      'idx',
    ],
    ['worker', 'loader', 'index'],
  ],
};

const source = (name) => `^packages/${name}/src`;
/** Matches a layer: a folder, or the file of that name. */
const pathOf = (name, layer) => `${source(name)}/${layer}(/|\\.ts$)`;
const isOrHolds = (layer, other) => other === layer || other.startsWith(`${layer}/`);

/** One rule for each layer of a package, and one for what the table does not name. */
function layerRules(name, table) {
  const rules = table.map(([layer, ...below], i) => {
    const above = table.slice(0, i).map(([other]) => other);
    const lower = below.flatMap((folder) => {
      const named = above.filter((other) => isOrHolds(folder, other));
      if (named.length === 0) throw new Error(`${name}: '${folder}' has to stand above '${layer}'`);
      return named;
    });
    return {
      name: `${name}-${layer}`,
      comment: `${[layer, ...below].join(', ')}: nothing else may be imported here`,
      severity: 'error',
      from: { path: pathOf(name, layer) },
      to: { path: source(name), pathNot: [layer, ...lower].map((other) => pathOf(name, other)) },
    };
  });
  const unnamed = {
    name: `${name}-layer-without-a-place`,
    comment: 'give the new folder or file a place in LAYERS',
    severity: 'error',
    from: { path: source(name), pathNot: table.map(([layer]) => pathOf(name, layer)) },
    to: {},
  };
  return [...rules, unnamed];
}

const layers = Object.entries(LAYERS).flatMap(([name, table]) => layerRules(name, table));

module.exports = { layers, source };
