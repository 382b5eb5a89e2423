import { casts, updates } from '../backend/kernels.ts';
import { describeValue } from '../core/describe.ts';
import { type DType, isFloating, newTypedArray, type ReadonlyTypedArray } from '../core/dtype.ts';
import { AutogradError, DTypeError, ShapeError, shapeError } from '../core/errors.ts';
import { NdArray } from '../core/ndarray.ts';
import { formatArray, type NestedArray, nestedArray } from '../core/printing.ts';
import { formatShape, type Shape, sameShape } from '../core/shape.ts';
import { runBackward } from './backward.ts';
import type { GraphNode, Leaf } from './graph.ts';

/** Throws a `DTypeError` unless elements can have a gradient; it begins with the operation, if there is one. */
export function expectDifferentiable({ dtype, shape }: NdArray, op?: string): void {
  if (isFloating(dtype)) return;
  throw new DTypeError(
    `${op === undefined ? '' : `${op}: `}requiresGrad needs dtype float32 or float64, got ${dtype} of shape ` +
      formatShape(shape),
  );
}

/**
 * An n-dimensional array that can record how it was computed and be differentiated.
 *
 * Mathematics is in free functions (`relu(conv2d(x, weight, bias))`); a tensor itself carries its
 * elements, its gradient, and ways to look at both.
 */
export class Tensor implements Leaf {
  readonly array: NdArray;
  #requiresGrad: boolean;
  /** The operation that made this tensor; null for tensors made by the user. */
  readonly node: GraphNode | null;
  /**
   * Gradient that `backward()` accumulated, of this tensor's shape; null before and after reset. The
   * next `backward()` adds to it in place, and an optimizer's `zeroGrad()` releases it: take a copy
   * of what is to be kept.
   */
  grad: Tensor | null = null;

  /**
   * For the library's own use; make tensors with `tensor`, `zeros`, `randn` and so on.
   *
   * @throws DTypeError if `requiresGrad` is set for an integer or boolean dtype
   */
  constructor(
    array: NdArray,
    { requiresGrad = false, node = null }: { requiresGrad?: boolean; node?: GraphNode | null } = {},
  ) {
    if (requiresGrad) expectDifferentiable(array);
    this.array = array;
    this.#requiresGrad = requiresGrad;
    this.node = node;
  }

  /**
   * Whether `backward()` computes a gradient for this tensor. It can be switched on a tensor made by
   * the user, for what is computed and differentiated from then on.
   *
   * @throws AutogradError when set on a tensor that an operation made
   * @throws DTypeError when switched on for an integer or boolean dtype
   */
  get requiresGrad(): boolean {
    return this.#requiresGrad;
  }

  /** @throws AutogradError on a result; DTypeError for an integer or boolean dtype */
  set requiresGrad(value: boolean) {
    if (this.node !== null) {
      throw new AutogradError(
        `requiresGrad: cannot be changed on the result of '${this.node.op}'; use detach() for the ` +
          'same elements without history',
      );
    }
    if (value) expectDifferentiable(this.array);
    this.#requiresGrad = value;
  }

  /** Lengths of its axes; `[]` for a scalar. */
  get shape(): Shape {
    return this.array.shape;
  }

  /** Type of its elements. */
  get dtype(): DType {
    return this.array.dtype;
  }

  /** Number of axes. */
  get rank(): number {
    return this.array.rank;
  }

  /** Number of elements. */
  get size(): number {
    return this.array.size;
  }

  /**
   * A copy of the elements, flat and in row-major order, as they are now (numbers, of 16-bit floats in
   * a Float32Array and of int64 in a Float64Array). It stays as it is whatever
   * happens to the tensor, and writing to it does not change the tensor: `assign` does. (Who reads
   * `data` again and again, as in a loop over `data[i]`, gets the same copy until the tensor
   * changes.)
   */
  get data(): ReadonlyTypedArray {
    return this.array.storage.snapshot();
  }

  /** The elements as nested arrays, one level an axis; a plain number for a scalar. */
  toArray(): NestedArray {
    return nestedArray(this.array);
  }

  /**
   * The only element as a number.
   *
   * @throws ShapeError if there is not exactly one
   */
  item(): number {
    if (this.size !== 1) {
      throw new ShapeError(
        `item: needs a tensor with one element, got shape ${formatShape(this.shape)}; ` +
          'use data or toArray()',
      );
    }
    return this.array.numbers[0];
  }

  /**
   * Adds to `grad` of every tensor with `requiresGrad` that this one was computed from. The graph
   * is freed on the way, so it can be walked once. These gradients have no history; those of `grad` and
   * `gradients` can be differentiated again.
   *
   * @param gradient gradient of the loss by this tensor, of the same shape; 1 for a scalar
   * @throws AutogradError if nothing was recorded, the graph was used before, or something that an
   *   operation saved for it was changed in place since
   * @throws ShapeError if `gradient` is missing for a non-scalar or has another shape; DTypeError if it
   *   is no tensor
   */
  backward(gradient?: Tensor): void {
    if (!this.requiresGrad) {
      throw new AutogradError(
        'backward: this tensor does not depend on any tensor with requiresGrad ' +
          `(shape ${formatShape(this.shape)}), or it was computed inside noGrad()`,
      );
    }
    if (gradient === undefined && this.size !== 1) {
      throw new ShapeError(
        `backward: a tensor of shape ${formatShape(this.shape)} needs a gradient of that shape; ` +
          'without one, reduce it to a scalar first (sum or mean)',
      );
    }
    if (gradient !== undefined && !(gradient instanceof Tensor)) {
      throw new DTypeError(`backward: gradient must be a Tensor, got ${describeValue(gradient)}`);
    }
    if (gradient !== undefined && !sameShape(gradient.shape, this.shape)) {
      throw shapeError('backward', 'the gradient must have the shape of the tensor', {
        tensor: this,
        gradient,
      });
    }
    const start =
      gradient === undefined
        ? NdArray.fromTypedArray(newTypedArray(this.dtype, 1).fill(1), this.shape, this.dtype)
        : // The cast also copies, so that the caller's gradient is never written to.
          casts().cast(gradient.array, this.dtype);
    runBackward(this.node ?? this, start);
  }

  accumulateGrad(gradient: NdArray): void {
    if (!this.#requiresGrad) return; // It was switched off after the graph was recorded.
    if (this.grad !== null) {
      updates().blend(this.grad.array, gradient, { keep: 1, add: 1 });
      return;
    }
    // Made inside backward(), perhaps inside a tidy() of the user; it belongs to the tensor now.
    gradient.storage.liveAsLongAs(this.array.storage);
    this.grad = new Tensor(gradient);
  }

  /** The same elements (shared, not copied) without history: nothing flows back through it. */
  detach(): Tensor {
    return new Tensor(this.array);
  }

  /**
   * Gives the memory back now rather than when it is collected; reading it afterwards throws, and so
   * does reading tensors that share it (by `reshape` or `detach`).
   */
  dispose(): void {
    this.array.storage.release();
  }

  /** NumPy-like text: aligned columns, `...` in the middle of long axes. */
  toString(): string {
    const notes = [`shape=${formatShape(this.shape)}`, `dtype=${this.dtype}`];
    if (this.requiresGrad) notes.push('requiresGrad');
    if (this.array.storage.isReleased) return `tensor(<released>, ${notes.join(', ')})`;
    return `tensor(${formatArray(this.array, 'tensor('.length)}, ${notes.join(', ')})`;
  }

  /** What `console.log` shows in Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
