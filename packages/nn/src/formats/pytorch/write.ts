import { type DType, DTypeError, type Tensor, ValueError } from '@firelight/tensor';
import { quote, stridesOf } from '@firelight/tensor/extend';
import { elementBytes, encodeZip } from '@firelight/tensor/formats';
import type { OptimizerContent, Snapshot } from '../../checkpoint/snapshot.ts';
import { OUR_NAMES } from './optimizer.ts';
import { type Picklable, pickle } from './pickler.ts';

/** Weights and strings, and what an optimizer keeps for them. */
export interface PytorchSnapshot extends Snapshot {
  readonly optimizer?: OptimizerContent;
}

/** Members begin at multiples of so many bytes, as PyTorch's do. */
const ALIGNMENT = 64;

/** The storages of our dtypes; unsigned integers of more than a byte came with PyTorch 2.3. */
const STORAGE_CLASSES: Readonly<Partial<Record<DType, string>>> = {
  ...{ float64: 'DoubleStorage', float32: 'FloatStorage', float16: 'HalfStorage' },
  ...{ bfloat16: 'BFloat16Storage', int64: 'LongStorage', int32: 'IntStorage' },
  ...{ int8: 'CharStorage', uint8: 'ByteStorage', bool: 'BoolStorage' },
};

/**
 * The bytes of a file that `torch.load(…, weights_only=True)` reads: a state dict, or, where there are
 * strings or an optimizer, a dict with it under `state_dict`, the optimizer's under `optimizer`, and the
 * strings.
 *
 * @throws DTypeError for uint16 and uint32; ValueError for a string called as one of the dicts
 */
export function encodePytorch({ tensors, metadata, optimizer }: PytorchSnapshot): Uint8Array {
  const members = new Storages();
  const weights = new Map<string, Picklable>();
  for (const [name, tensor] of Object.entries(tensors))
    weights.set(name, members.add(name, tensor));
  const strings = Object.entries(metadata);
  const isAlone = strings.length === 0 && optimizer === undefined;
  const content = pickle(isAlone ? weights : checkpointOf(weights, strings, optimizer, members));
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  return encodeZip(
    [
      ['archive/data.pkl', content],
      ['archive/byteorder', text('little')],
      ...members.entries,
      ['archive/version', text('3\n')],
    ],
    { alignment: ALIGNMENT },
  );
}

/** The members with elements; tensors that share theirs share a member. */
class Storages {
  readonly entries: [name: string, bytes: Uint8Array][] = [];
  readonly #keys = new Map<unknown, string>();

  /** Adds a tensor's elements; returns what stands for it in the pickle. */
  add(name: string, { array, dtype, shape, size }: Tensor): Picklable {
    const storageClass = STORAGE_CLASSES[dtype];
    if (storageClass === undefined) {
      throw new DTypeError(
        `pytorch: ${quote(name)} is of ${dtype}, which PyTorch before 2.3 lacks; cast it to int64 first`,
      );
    }
    let key = this.#keys.get(array.storage);
    if (key === undefined) {
      key = String(this.entries.length);
      this.#keys.set(array.storage, key);
      this.entries.push([`archive/data/${key}`, elementBytes(array.data, dtype)]);
    }
    return { tensor: { storageClass, key, count: size, shape, strides: stridesOf(shape) } };
  }
}

function checkpointOf(
  weights: ReadonlyMap<string, Picklable>,
  strings: readonly (readonly [string, string])[],
  optimizer: OptimizerContent | undefined,
  members: Storages,
): Picklable {
  const checkpoint = new Map<string, Picklable>([['state_dict', weights]]);
  if (optimizer !== undefined) {
    checkpoint.set('optimizer', optimizerDict(optimizer, members));
  }
  for (const [name, value] of strings) {
    if (checkpoint.has(name)) {
      throw new ValueError(`pytorch: no string can be called ${quote(name)}; take another name`);
    }
    checkpoint.set(name, value);
  }
  return checkpoint;
}

/** An optimizer's state as PyTorch has it: by the numbers of parameters, in the order of the groups. */
function optimizerDict({ state, groups }: OptimizerContent, members: Storages): Picklable {
  const states = new Map<number, Picklable>();
  const groupDicts: Picklable[] = [];
  let count = 0;
  for (const { parameters, settings } of groups) {
    const numbers: number[] = [];
    for (const parameter of parameters) {
      const own = new Map<string, Picklable>();
      for (const [name, ours] of Object.entries(OUR_NAMES)) {
        const key = ours.map((kind) => `${kind}.${parameter}`).find((kind) => kind in state);
        if (key === undefined) continue;
        own.set(name, name === 'step' ? state[key].item() : members.add(key, state[key]));
      }
      if (own.size > 0) states.set(count, own);
      numbers.push(count++);
    }
    groupDicts.push(new Map<string, Picklable>([...Object.entries(settings), ['params', numbers]]));
  }
  return new Map<string, Picklable>([
    ['state', states],
    ['param_groups', groupDicts],
  ]);
}
