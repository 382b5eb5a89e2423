import { elementCount } from '@firelight/tensor/extend';
import {
  latin1,
  type PickleCall,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
  type RefusePickle,
} from '@firelight/tensor/formats';

/** Elements in a file that tensors share: the type in the names of safetensors, null of bytes alone. */
export class PickledStorage extends PickleObject {
  readonly type: string | null;
  readonly key: string;
  /** Number of elements. */
  readonly count: number;
  /** The part of the whole storage that this one is, in elements, in files before PyTorch 1.6. */
  readonly viewStart: number;

  constructor(type: string | null, key: string, count: number, viewStart = 0) {
    super();
    this.type = type;
    this.key = key;
    this.count = count;
    this.viewStart = viewStart;
  }

  setState(_: PickleValue, refuse: RefusePickle): void {
    throw refuse('a storage has no state');
  }
}

/** A tensor as PyTorch rebuilds it: which elements of a storage, and how far they lie apart. */
export class PickledTensor extends PickleObject {
  readonly storage: PickledStorage;
  readonly type: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;

  constructor(
    storage: PickledStorage,
    type: string,
    { shape, strides, offset }: Pick<PickledTensor, 'shape' | 'strides' | 'offset'>,
  ) {
    super();
    this.storage = storage;
    this.type = type;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
  }

  /** Attributes that a program gave a tensor, which are none of its numbers. */
  setState(): void {}
}

/** The element types of PyTorch's storages, and those that are refused when their tensor is asked for. */
const STORAGES: Readonly<Record<string, string>> = {
  ...{ FloatStorage: 'F32', DoubleStorage: 'F64', HalfStorage: 'F16', BFloat16Storage: 'BF16' },
  ...{ ByteStorage: 'U8', CharStorage: 'I8', ShortStorage: 'I16', IntStorage: 'I32' },
  ...{ LongStorage: 'I64', BoolStorage: 'BOOL' },
  ...{ ComplexFloatStorage: 'complex64', ComplexDoubleStorage: 'complex128' },
  ...{ QInt8Storage: 'qint8', QUInt8Storage: 'quint8', QInt32Storage: 'qint32' },
};

/** Bytes of an element of the types that are not read. */
export const REFUSED_TYPES: Readonly<Record<string, number>> = {
  ...{ complex64: 8, complex128: 16, qint8: 1, quint8: 1, qint32: 4 },
};

/** Types of tensors whose storage has none, as of PyTorch 2. */
const DTYPES: Readonly<Record<string, string>> = { uint16: 'U16', uint32: 'U32', uint64: 'U64' };

/** Names without a meaning for the weights, which state dicts may hold all the same. */
const NAMED = [
  ...['float16', 'bfloat16', 'float32', 'float64', 'uint8', 'int8', 'int16', 'int32', 'int64'],
  ...['bool', 'strided', 'per_tensor_affine', 'per_channel_affine'],
].map((name) => new PickleGlobal(`torch.${name}`));

const storageTypes = new Map<PickleGlobal, string | null>(
  Object.entries(STORAGES).map(([name, type]) => [new PickleGlobal(`torch.${name}`), type]),
);
storageTypes.set(new PickleGlobal('torch.storage.UntypedStorage'), null);

const dtypes = new Map<PickleGlobal, string>(
  Object.entries(DTYPES).map(([name, type]) => [new PickleGlobal(`torch.${name}`), type]),
);

const MOST_AXES = 64;

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function countsOf(value: PickleValue): readonly number[] | null {
  const items = value instanceof PickleTuple ? value.items : value;
  if (!Array.isArray(items) || items.length > MOST_AXES || !items.every(isCount)) return null;
  return items;
}

function makeTensor(args: readonly PickleValue[], type: string | null, refuse: RefusePickle) {
  const [storage, offset, sizes, steps] = args;
  const [shape, strides] = [countsOf(sizes), countsOf(steps)];
  const isRight =
    storage instanceof PickledStorage &&
    isCount(offset) &&
    shape !== null &&
    strides !== null &&
    shape.length === strides.length &&
    Number.isSafeInteger(elementCount(shape));
  if (!isRight) throw refuse('a tensor must have a storage, an offset, sizes and as many strides');
  const elementType = type ?? storage.type;
  if (elementType === null) throw refuse('a tensor of bytes must have a dtype');
  return new PickledTensor(storage, elementType, { shape, strides, offset });
}

const rebuildTensor: PickleCall = (args, refuse) => makeTensor(args, null, refuse);

const rebuildTensorOfType: PickleCall = (args, refuse) => {
  const type = args[6] instanceof PickleGlobal ? dtypes.get(args[6]) : undefined;
  if (type === undefined) throw refuse('a tensor has a dtype that is not read');
  return makeTensor(args, type, refuse);
};

const rebuildParameter: PickleCall = ([tensor], refuse) => {
  if (!(tensor instanceof PickledTensor)) throw refuse('a parameter must be made of a tensor');
  return tensor;
};

/** An ordered dict: empty, or of the pairs that Python 2 gives it at once. */
const makeDict: PickleCall = ([pairs], refuse) => {
  const dict: PickleDict = new Map();
  if (pairs === undefined) return dict;
  if (!Array.isArray(pairs)) throw refuse('an OrderedDict must be made of pairs');
  for (const pair of pairs) {
    const [key, value] = pair instanceof PickleTuple ? pair.items : Array.isArray(pair) ? pair : [];
    const name = key instanceof Uint8Array ? latin1(key) : key;
    if (typeof name !== 'string' && typeof name !== 'number') {
      throw refuse('a key of an OrderedDict must be a string or a number');
    }
    dict.set(name, value ?? null);
  }
  return dict;
};

/** `torch.Size` and `torch.device`, which are what they are made of. */
const first: PickleCall = ([value = null]) => value;

/** All that a checkpoint of PyTorch may name. */
export const GLOBALS: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    ...[...NAMED, ...storageTypes.keys(), ...dtypes.keys()],
    new PickleGlobal('collections.OrderedDict', makeDict),
    new PickleGlobal('torch.Size', first),
    new PickleGlobal('torch.device', first),
    new PickleGlobal('torch._utils._rebuild_tensor', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_tensor_v3', rebuildTensorOfType),
    new PickleGlobal('torch._utils._rebuild_qtensor', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_parameter', rebuildParameter),
    new PickleGlobal('torch._utils._rebuild_parameter_with_state', rebuildParameter),
  ].map((global) => [global.name, global]),
);

/** The storage that stands for `('storage', class, key, location, numel[, view])`; null for anything else. */
export function storageOf(id: PickleValue): PickledStorage | null {
  const [kind, type, name, , count, view = null] = id instanceof PickleTuple ? id.items : [];
  const key = textOf(name);
  const elementType = type instanceof PickleGlobal ? storageTypes.get(type) : undefined;
  if (textOf(kind) !== 'storage' || elementType === undefined || key === null || !isCount(count)) {
    return null;
  }
  if (view === null) return new PickledStorage(elementType, key, count);
  const [, start, length] = view instanceof PickleTuple ? view.items : [];
  if (!isCount(start) || !isCount(length) || start + length > count) return null;
  return new PickledStorage(elementType, key, length, start);
}

/** A string of Python 2 or 3; null for anything else. */
export function textOf(value: PickleValue | undefined): string | null {
  if (value instanceof Uint8Array) return latin1(value);
  return typeof value === 'string' ? value : null;
}
