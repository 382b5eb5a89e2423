import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { regularization } from '../backend/kernels.ts';
import { expectBoolean, expectGenerator, expectThat, readOptions } from '../core/checks.ts';
import type { NdArray } from '../core/ndarray.ts';
import type { Generator, GeneratorState } from '../core/random.ts';
import { defaultGenerator } from './create.ts';
import { asTensor, expectSameFloating, type TensorLike } from './operands.ts';

interface Mask {
  readonly p: number;
  readonly state: GeneratorState;
}

export const dropoutOp = defineOp<[NdArray], Mask, Mask>('dropout', {
  forward: ([x], mask) => ({ y: regularization().dropout(x, mask.p, mask.state), saved: mask }),
  // The mask is drawn again from the same state rather than kept.
  backward: (gradOut, { p, state }) => [regularization().dropout(gradOut, p, state)],
});

/** How many elements `dropout` leaves out, and by which random numbers. */
export interface DropoutOptions {
  /** Probability in [0, 1) that an element is dropped; 0.5 by default. */
  readonly p?: number;
  /** Without training, dropout is the identity; true by default. */
  readonly training?: boolean;
  readonly generator?: Generator;
}

/**
 * Sets each element to 0 with probability p, and scales the others by 1 / (1 − p), so that the mean
 * stays.
 *
 * @throws ValueError if p is not in [0, 1)
 * @see Srivastava et al., "Dropout", JMLR 2014 (the inverted form)
 */
export function dropout(x: TensorLike, options: DropoutOptions = {}): Tensor {
  const {
    p = 0.5,
    training = true,
    generator = defaultGenerator,
  } = readOptions('dropout', options, ['p', 'training', 'generator']);
  const input = asTensor('dropout', 'x', x);
  expectThat(typeof p === 'number' && p >= 0 && p < 1, 'dropout', 'p', 'in [0, 1)', p);
  expectBoolean('dropout', 'training', training);
  expectGenerator('dropout', generator);
  expectSameFloating('dropout', { input });
  if (!training || p === 0) return input;
  return dropoutOp([input], { p, state: generator.reserve(Math.ceil(input.size / 4)) });
}
