/**
 * What builds a kernel for the backend `wasm`: the version `wasm` of `defineKernel`, imported from
 * `@firelight/tensor/extend/wasm`.
 *
 * A kernel is a task, whose code `defineTask` writes once, when the task first runs; so define it at the
 * top of a module, and not for every call. A call runs it in a frame (`inFrame`), which says where operands and results lie and shares the parts of
 * the task among the threads. Code is written for vectors of `f.lanes`, 4 or 8, and must give the same
 * bits for both and for any number of threads.
 *
 * To rely on: what this file exports, of a frame `input`, `output`, `temporary` and `run`, and of `f`
 * the variables (`i32`, `f32`, `floats`, `ints`), `constants`, `load`, `store`, `multiplyAdd`, `if`,
 * `for`, `while` and `doWhile`, with the methods of values. The rest serves the library's own kernels and
 * may change with any release.
 *
 * @module @firelight/tensor/extend/wasm
 */

export type { Constants } from '../backend/wasm/assembler/constants.ts';
export type { FunctionBuilder } from '../backend/wasm/assembler/function.ts';
export type { Local, ParameterType, ParameterTypes } from '../backend/wasm/assembler/parameters.ts';
export type { F32, I32 } from '../backend/wasm/assembler/scalars.ts';
export { type Floats, type Ints, splat, splatInt } from '../backend/wasm/assembler/vectors.ts';
export {
  exponential,
  hyperbolicTangent,
  logarithm,
  logistic,
} from '../backend/wasm/kernels/elementwise/functions.ts';
export { chunks, forVectors } from '../backend/wasm/kernels/loops/flat-arrays.ts';
export { partRange } from '../backend/wasm/kernels/loops/part-range.ts';
export type { Address } from '../backend/wasm/runtime/address.ts';
export { type Frame, inFrame } from '../backend/wasm/runtime/frame.ts';
export {
  defineTask,
  type FieldValues,
  type Part,
  type TaskDefinition,
} from '../backend/wasm/runtime/task.ts';
