import { Tensor } from '../autograd/tensor.ts';
import { withKernels } from '../backend/registry.ts';
import { AutogradError } from '../core/errors.ts';
import type { ArrayStorage } from '../core/memory.ts';
import { NdArray } from '../core/ndarray.ts';
import { formatShape, type Shape } from '../core/shape.ts';
import { reshape } from './reshape.ts';

/**
 * An array that stands for a tensor with history while a gradient is computed that is to be
 * differentiated itself. Kernels ask for the tensor; who reads the elements would lose the history, and
 * so is refused.
 */
export class TracedArray extends NdArray {
  /** The same elements without history. */
  readonly plain: NdArray;
  readonly #make: () => Tensor;
  #tensor: Tensor | null = null;

  /** @param make the tensor, when it is first needed: much of what operations save never is */
  constructor(plain: NdArray, make: () => Tensor) {
    super(plain.shape, plain.storage);
    this.plain = plain;
    this.#make = make;
  }

  get tensor(): Tensor {
    this.#tensor ??= this.#make();
    return this.#tensor;
  }

  override get storage(): ArrayStorage {
    throw new AutogradError(
      `gradients: a backward reads the elements of an array ${formatShape(this.shape)} itself, so what ` +
        'it gives cannot be differentiated again; write it with kernels(), or ask for the first ' +
        'derivative alone (inside noGrad)',
    );
  }

  override withShape(shape: Shape): NdArray {
    return composed(() => reshape(this.tensor, shape));
  }
}

/** The tensor that an array stands for, or else the array as a constant. */
export function tensorOf(array: NdArray): Tensor {
  return array instanceof TracedArray ? array.tensor : new Tensor(array);
}

/** An array without its history, which does not count. */
export function constantOf(array: NdArray): Tensor {
  return new Tensor(array instanceof TracedArray ? array.plain : array);
}

/** What stands for a tensor: its array, with the history if there is one. */
export function arrayOf(tensor: Tensor): NdArray {
  return tensor.requiresGrad ? new TracedArray(tensor.array, () => tensor) : tensor.array;
}

/** What stands for a tensor that is computed by operations on the backend in use. */
export function composed(body: () => Tensor): NdArray {
  return arrayOf(withKernels(null, body));
}
