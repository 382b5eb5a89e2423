import { NOT_FLOAT32_WITH_INDICES } from './declined.ts';
import { defineFamily } from './kernel-family.ts';
import * as reference from './reference/index.ts';
import * as wasm from './wasm/index.ts';

/**
 * All kernels of the contract on the library's own backends. An op imports the families that it calls
 * kernels of, so a bundler leaves the others out of programs without such ops; the comments tell it that a
 * call which nobody needs the result of may go.
 */

export const unaryFunctions = /* @__PURE__ */ defineFamily({
  reference: reference.unaryFunctions,
  wasm: wasm.unaryFunctions,
});
export const binaryFunctions = /* @__PURE__ */ defineFamily({
  reference: reference.binaryFunctions,
  wasm: wasm.binaryFunctions,
});
export const powers = /* @__PURE__ */ defineFamily({
  reference: reference.powers,
  wasm: wasm.powers,
});
export const comparisons = /* @__PURE__ */ defineFamily({
  reference: reference.comparisons,
  wasm: wasm.comparisons,
  dtypes: { compare: wasm.OTHER_COMPARISONS },
});
export const choice = /* @__PURE__ */ defineFamily({
  reference: reference.choice,
  wasm: wasm.choice,
  dtypes: { where: wasm.OTHER_CHOICES },
});
export const casts = /* @__PURE__ */ defineFamily({
  reference: reference.casts,
  wasm: wasm.casts,
  declined: wasm.declinedCasts,
  dtypes: { cast: wasm.OTHER_CASTS },
});
export const reductions = /* @__PURE__ */ defineFamily({
  reference: reference.reductions,
  wasm: wasm.reductions,
  declined: wasm.declinedReductions,
});
export const extrema = /* @__PURE__ */ defineFamily({
  reference: reference.extrema,
  wasm: wasm.extrema,
  declined: wasm.declinedReductions,
});
export const argReductions = /* @__PURE__ */ defineFamily({
  reference: reference.argReductions,
  wasm: wasm.argReductions,
});
export const linearAlgebra = /* @__PURE__ */ defineFamily({
  reference: reference.linearAlgebra,
  wasm: wasm.linearAlgebra,
});
export const movement = /* @__PURE__ */ defineFamily({
  reference: reference.movement,
  wasm: wasm.movement,
});
export const permutation = /* @__PURE__ */ defineFamily({
  reference: reference.permutation,
  wasm: wasm.permutation,
});
export const placement = /* @__PURE__ */ defineFamily({
  reference: reference.placement,
  wasm: wasm.placement,
});
export const gathering = /* @__PURE__ */ defineFamily({
  reference: reference.gathering,
  wasm: wasm.gathering,
  declined: wasm.declinedGathering,
  dtypes: { gather: NOT_FLOAT32_WITH_INDICES, gatherGrad: NOT_FLOAT32_WITH_INDICES },
});
export const softmaxFunctions = /* @__PURE__ */ defineFamily({
  reference: reference.softmaxFunctions,
  wasm: wasm.softmaxFunctions,
  declined: wasm.declinedSoftmax,
});
export const logSoftmaxFunctions = /* @__PURE__ */ defineFamily({
  reference: reference.logSoftmaxFunctions,
  wasm: wasm.logSoftmaxFunctions,
  declined: wasm.declinedSoftmax,
});
export const crossEntropy = /* @__PURE__ */ defineFamily({
  reference: reference.crossEntropy,
  wasm: wasm.crossEntropy,
  declined: wasm.declinedCrossEntropy,
  dtypes: {
    softmaxCrossEntropy: NOT_FLOAT32_WITH_INDICES,
    softmaxCrossEntropyGrad: NOT_FLOAT32_WITH_INDICES,
  },
});
export const convolution = /* @__PURE__ */ defineFamily({
  reference: reference.convolution,
  wasm: wasm.convolution,
});
export const maxPooling = /* @__PURE__ */ defineFamily({
  reference: reference.maxPooling,
  wasm: wasm.maxPooling,
  declined: wasm.declinedPooling,
  dtypes: { maxPool2dGrad: NOT_FLOAT32_WITH_INDICES },
});
export const averagePooling = /* @__PURE__ */ defineFamily({
  reference: reference.averagePooling,
  wasm: wasm.averagePooling,
  declined: wasm.declinedPooling,
});
export const regularization = /* @__PURE__ */ defineFamily({
  reference: reference.regularization,
  wasm: wasm.regularization,
});
export const batchNormalization = /* @__PURE__ */ defineFamily({
  reference: reference.batchNormalization,
  wasm: wasm.batchNormalization,
});
export const updates = /* @__PURE__ */ defineFamily({
  reference: reference.updates,
  wasm: wasm.updates,
});
export const momentum = /* @__PURE__ */ defineFamily({
  reference: reference.momentum,
  wasm: wasm.momentum,
});
