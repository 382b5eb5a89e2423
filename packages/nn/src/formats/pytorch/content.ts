import { quote, quoteSome } from '@firelight/tensor/extend';
import {
  type ByteSource,
  type PickleDict,
  PickleTuple,
  type PickleValue,
} from '@firelight/tensor/formats';
import { MEMORY_BASE, MEMORY_SHARE } from './tensors.ts';
import { PickledTensor, textOf } from './values.ts';

/** What of a saved object is which. */
export interface Content {
  /** The weights, by names of modules. */
  readonly weights: ReadonlyMap<string, PickledTensor>;
  /** Numbers and strings beside the weights, as text. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The optimizer's state dict, if there is one. */
  readonly optimizer: PickleDict | null;
  readonly notes: readonly string[];
}

/** What checkpoints call the state dict in them, and the optimizer's. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'net'];
const OPTIMIZERS = ['optimizer', 'optimizer_state_dict', 'optim'];
/** What DataParallel and torch.compile put before all names. */
const PREFIXES = ['module.', '_orig_mod.'];
/** Most prefixes that are taken off one after the other. */
const MOST_PREFIXES = 4;
/** Dicts and lists may hold each other so often. */
const DEEPEST = 8;
/** Bytes that an entry takes besides its name; all may take 4 times the file and 64 MiB. */
const ENTRY_BYTES = 64;

/** Takes a saved object apart: which tensors are the weights, and what else there is. */
export function contentOf(value: PickleValue, source: ByteSource): Content {
  const metadata: Record<string, string> = Object.create(null);
  const notes: string[] = [];
  let [optimizer, weights]: [PickleDict | null, PickleValue] = [null, value];
  for (let depth = 0; depth < DEEPEST && weights instanceof Map; depth++) {
    const dict: PickleDict = weights;
    const wrapper = WRAPPERS.find((name) => holdsTensors(dict.get(name)));
    if (wrapper === undefined) break;
    notes.push(`the weights are in '${wrapper}'`);
    const rest: string[] = [];
    for (const [key, entry] of dict) {
      const name = String(key);
      if (name === wrapper) continue;
      if (OPTIMIZERS.includes(name) && entry instanceof Map) optimizer = entry;
      else if (isPlain(entry)) metadata[name] = textOf(entry) ?? String(entry);
      else rest.push(name);
    }
    if (rest.length > 0) notes.push(`left out: ${quoteSome(rest)}`);
    weights = dict.get(wrapper) ?? null;
  }
  const tensors = new Map<string, PickledTensor>();
  collect(weights, '', 0, {
    ...{ tensors, metadata, source },
    bytesLeft: MEMORY_SHARE * source.size + MEMORY_BASE,
  });
  if (tensors.size === 0) {
    throw source.error(
      "holds no tensors; save torch.save(model.state_dict(), 'weights.pth') in PyTorch",
    );
  }
  return { weights: withoutPrefix(tensors, notes), metadata, optimizer, notes };
}

function isPlain(value: PickleValue): value is boolean | number | bigint | string | Uint8Array {
  return textOf(value) !== null || ['boolean', 'number', 'bigint'].includes(typeof value);
}

/** Whether a value is a dict that has a tensor, or one in which another wrapper has. */
function holdsTensors(value: PickleValue | undefined): value is PickleDict {
  if (!(value instanceof Map)) return false;
  const isState = [...value.values()].some((entry) => entry instanceof PickledTensor);
  return isState || WRAPPERS.some((name) => value.get(name) instanceof Map);
}

/** What is found, and how much memory it may still take: one list may stand in many places. */
interface Collection {
  readonly tensors: Map<string, PickledTensor>;
  readonly metadata: Record<string, string>;
  readonly source: ByteSource;
  bytesLeft: number;
}

/** All tensors in dicts and lists that hold each other, under names with dots. */
function collect(value: PickleValue, name: string, depth: number, found: Collection): void {
  found.bytesLeft -= ENTRY_BYTES + 2 * name.length;
  if (found.bytesLeft < 0) {
    throw found.source.error('its dicts and lists hold each other too often; save a state dict');
  }
  if (value instanceof PickledTensor) {
    found.tensors.set(name === '' ? 'tensor' : name, value);
  } else if (name !== '' && isPlain(value)) {
    found.metadata[name] = textOf(value) ?? String(value);
  } else {
    const items = value instanceof PickleTuple ? value.items : value;
    if (!Array.isArray(items) && !(items instanceof Map)) return;
    if (depth === DEEPEST) {
      throw found.source.error(
        `its dicts and lists hold each other more than ${DEEPEST} deep; save a state dict`,
      );
    }
    for (const [key, entry] of items.entries()) {
      collect(entry, name === '' ? String(key) : `${name}.${key}`, depth + 1, found);
    }
  }
}

/** Names without what all of them begin with, which is said. */
function withoutPrefix(
  tensors: ReadonlyMap<string, PickledTensor>,
  notes: string[],
): ReadonlyMap<string, PickledTensor> {
  let named = tensors;
  for (let i = 0; i < MOST_PREFIXES; i++) {
    const names = [...named.keys()];
    const prefix = PREFIXES.find((start) => names.every((name) => name.startsWith(start)));
    if (prefix === undefined) break;
    notes.push(`all names begin with ${quote(prefix)}, which was taken off`);
    named = new Map([...named].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
  return named;
}
