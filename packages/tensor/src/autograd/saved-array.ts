import { AutogradError } from '../core/errors.ts';
import type { ArrayStorage } from '../core/memory.ts';
import { NdArray } from '../core/ndarray.ts';
import { isPlainObject } from '../core/plain-object.ts';
import { formatShape } from '../core/shape.ts';

/** What an operation was called with and what it gave, to name its arrays by. */
interface OpCall {
  readonly op: string;
  readonly inputs: readonly (NdArray | null)[];
  readonly y: NdArray;
}

/** What an array was in the call that saved it: the place of an input, the output, or neither. */
type Origin = number | 'output' | null;

/** The same array as was given, or else one that shares its elements with the output or one input. */
function originOf(array: NdArray, { inputs, y }: OpCall): Origin {
  const place = inputs.indexOf(array);
  if (place !== -1) return place;
  const { storage } = array;
  if (storage === y.storage) return 'output';
  const shares = (input: NdArray | null): boolean => input?.storage === storage;
  const first = inputs.findIndex(shares);
  return first === -1 || inputs.findLastIndex(shares) !== first ? null : first;
}

function roleOf(array: NdArray, name: string, { inputs, y }: OpCall): string {
  if (array.storage === y.storage) return 'its output';
  if (!inputs.some((input) => input?.storage === array.storage)) return `'${name}'`;
  return inputs.length === 1 ? 'its input' : `its input '${name}'`;
}

/**
 * An array as it was when it was saved for `backward`. Its shape can always be asked for; reaching
 * for its elements throws once they were changed in place. So an operation may save more than it
 * needs: only what `backward` really reads has to be unchanged.
 */
export class SavedArray extends NdArray {
  readonly origin: Origin;
  readonly #version: number;
  readonly #op: string;
  readonly #role: string;

  constructor(array: NdArray, name: string, call: OpCall) {
    super(array.shape, array.storage);
    this.origin = originOf(array, call);
    this.#version = array.storage.version;
    this.#op = call.op;
    this.#role = roleOf(array, name, call);
  }

  override get storage(): ArrayStorage {
    const storage = super.storage;
    if (storage.version === this.#version) return storage;
    throw new AutogradError(
      `backward of ${this.#op}: ${this.#role} ${formatShape(this.shape)} was changed in place after ` +
        'the forward pass (by an optimizer, assign or loading, say), so the gradient would be ' +
        'wrong; call backward() before the change, or run the forward pass again after it',
    );
  }
}

/**
 * `value` with other arrays in the place of those in it, also inside lists and plain objects; itself
 * where there is none, since this runs for every operation.
 *
 * @param replace is told each array and the name under which it was found
 */
export function mapArrays<Value>(
  value: Value,
  name: string,
  replace: (array: NdArray, name: string) => NdArray,
): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof NdArray) return replace(value, name) as Value; // An array for an array.
  const isList = Array.isArray(value);
  if (!isList && !isPlainObject(value)) return value;
  const original = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | null = null;
  for (const key in original) {
    const element = mapArrays(original[key], isList ? name : key, replace);
    if (element === original[key]) continue;
    copy ??= (isList ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = element;
  }
  return (copy as Value | null) ?? value; // The same structure.
}

/**
 * What an operation saved, where each array, also inside lists and plain objects, throws
 * `AutogradError` when `backward` reads it after it was changed in place.
 */
export function guardSaved<Saved>(saved: Saved, call: OpCall): Saved {
  return mapArrays(saved, 'saved', (array, name) => new SavedArray(array, name, call));
}
