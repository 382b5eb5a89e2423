import { type ArrayStorage, withMemoryScope } from '../core/memory.ts';
import { isPlainObject } from '../core/plain-object.ts';
import { rejectPromise } from './grad-mode.ts';
import { Tensor } from './tensor.ts';

function* storagesIn(value: unknown): Generator<ArrayStorage> {
  if (value instanceof Tensor) {
    yield value.array.storage;
    if (value.grad !== null) yield value.grad.array.storage;
  } else if (Array.isArray(value)) {
    for (const element of value) yield* storagesIn(element);
  } else if (isPlainObject(value)) {
    for (const element of Object.values(value)) yield* storagesIn(element);
  }
}

/**
 * Runs `body` and releases every tensor made in it, except those that it returns (also inside
 * arrays and plain objects) and the gradients of tensors from outside.
 *
 * Nobody has to use it: tensors outside of any `tidy` are collected as any other object.
 *
 * @throws ValueError if `body` is async
 */
export function tidy<Result>(body: () => Result): Result {
  return withMemoryScope(() => {
    const result = body();
    rejectPromise('tidy', result);
    return result;
  }, storagesIn);
}
