/**
 * Largest error of an element of a convolution in float32 on wasm, as a share of the root mean
 * square of all: by plain sums, and by Winograd's algorithm as packages/tensor/README.md states it.
 */
export const PLAIN_ERROR = 1e-5;
export const WINOGRAD_ERROR = 2e-5;
