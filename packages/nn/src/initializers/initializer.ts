import type { Generator, Shape } from '@firelight/tensor';

/** Computes the first values of a parameter, flat and in row-major order. */
export type Initializer = (shape: Shape, generator: Generator) => Float64Array;
