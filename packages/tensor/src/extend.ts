/**
 * What extends the library: operations, kernels, backends, layers, data sets. It is the second door of
 * the package; who only computes with tensors needs the first.
 *
 * @module @firelight/tensor/extend
 */

export { defineOp, listOps, type OpDefinition, type OpInfo } from './autograd/define-op.ts';
export { type OpCall, watchOps } from './autograd/op-listener.ts';
export { kernels } from './backend/all-kernels.ts';
export type { Backend } from './backend/backend.ts';
export type { Kernels } from './backend/contract.ts';
export {
  type Declined,
  type DeclinedCalls,
  NOT_FLOAT32,
  NOT_FLOAT32_WITH_INDICES,
} from './backend/declined.ts';
export { defineKernel, type KernelVersions } from './backend/define-kernel.ts';
export { isNode, neededModule } from './backend/host.ts';
export { registerBackend } from './backend/registry.ts';
export {
  openPort,
  startThread,
  type ThreadCode,
  type ThreadListeners,
  type ThreadPort,
  type WorkerThread,
} from './backend/worker-thread.ts';
export {
  expectBoolean,
  expectDType,
  expectFinite,
  expectGenerator,
  expectInteger,
  expectIntegerList,
  expectShape,
  expectShare,
  expectThat,
  normalizeAxis,
  readOptions,
} from './core/checks.ts';
export { describeValue, isPromise } from './core/describe.ts';
export { newTypedArray } from './core/dtype.ts';
export { shapeError } from './core/errors.ts';
export { printable, printablePath, quote, quoteSome, systemReason } from './core/messages.ts';
export { NdArray } from './core/ndarray.ts';
export { editDistance } from './core/nearest-names.ts';
export { isPlainObject } from './core/plain-object.ts';
export { formatDuration, progressBar, rewriteLine, type TextStream } from './core/progress.ts';
export {
  broadcastShapes,
  elementCount,
  formatShape,
  reducedShape,
  type Shape,
  sameShape,
  splitAtAxis,
  stridesOf,
} from './core/shape.ts';
export { windowCount } from './core/window.ts';
export { expectTransposedSteps1d } from './ops/conv-transpose1d.ts';
export { expectTransposedWindow } from './ops/conv-transpose2d.ts';
export { readInterpolate } from './ops/interpolate-options.ts';
export { readMaxUnpool2d } from './ops/max-unpool2d.ts';
export { asAnyTensor, asTensor, type TensorLike } from './ops/operands.ts';
export { readAvgPool2d, readPool2d } from './ops/pool2d.ts';
export { expectSteps1d, readAvgPool1d, readPool1d } from './ops/sequences.ts';
export { expectWindow, resolvePair, type WindowOptions } from './ops/window-options.ts';
