/** A storage of PyTorch: the name of its class, its key among the members, and its number of elements. */
interface StoredTensor {
  readonly storageClass: string;
  readonly key: string;
  readonly count: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** What a pickle is made of: Python's dict is a Map, its tuple is not needed. */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | readonly Picklable[]
  | ReadonlyMap<string | number, Picklable>
  | { readonly tensor: StoredTensor };

const NONE = 0x4e;
const [TRUE, FALSE] = [0x88, 0x89];
const [BININT, BININT1, LONG1, BINFLOAT, BINUNICODE] = [0x4a, 0x4b, 0x8a, 0x47, 0x58];
const [MARK, TUPLE, EMPTY_TUPLE] = [0x28, 0x74, 0x29];
const [EMPTY_LIST, APPENDS, SETITEMS] = [0x5d, 0x65, 0x75];
const [GLOBAL, REDUCE, BINPERSID, STOP] = [0x63, 0x52, 0x51, 0x2e];
const [PROTO, PROTOCOL] = [0x80, 2];

/**
 * The pickle of protocol 2 of a value, as `torch.load(…, weights_only=True)` reads it: it names ordered
 * dicts, storages and `_rebuild_tensor_v2` alone, and has no instruction that this reader lacks, but for
 * numbers that are no integers, which that of PyTorch 1.13 refuses.
 */
export function pickle(value: Picklable): Uint8Array {
  const writer = new Pickler();
  writer.bytes(PROTO, PROTOCOL);
  writer.value(value);
  writer.bytes(STOP);
  return writer.whole();
}

class Pickler {
  #content = new Uint8Array(1024);
  #length = 0;

  whole(): Uint8Array {
    return this.#content.subarray(0, this.#length);
  }

  bytes(...bytes: readonly number[]): void {
    this.#append(Uint8Array.from(bytes));
  }

  #append(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#content.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#content);
      this.#content = larger;
    }
    this.#content.set(bytes, this.#length);
    this.#length = end;
  }

  value(value: Picklable): void {
    if (value === null) this.bytes(NONE);
    else if (typeof value === 'boolean') this.bytes(value ? TRUE : FALSE);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if ('tensor' in value) this.#tensor(value.tensor);
    else if (value instanceof Map) this.#dict(value);
    else this.#list(value as readonly Picklable[]);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      this.bytes(BINFLOAT);
      this.#number64((view) => view.setFloat64(0, value));
    } else if (value >= 0 && value < 256) {
      this.bytes(BININT1, value);
    } else if ((value | 0) === value) {
      this.bytes(BININT, value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
    } else {
      this.bytes(LONG1, 8);
      this.#number64((view) => view.setBigInt64(0, BigInt(value), true));
    }
  }

  #number64(set: (view: DataView) => void): void {
    const bytes = new Uint8Array(8);
    set(new DataView(bytes.buffer));
    this.#append(bytes);
  }

  #text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const { length } = bytes;
    this.bytes(BINUNICODE, length & 255, (length >> 8) & 255, (length >> 16) & 255, length >>> 24);
    this.#append(bytes);
  }

  #global(module: string, name: string): void {
    this.bytes(GLOBAL);
    this.#append(new TextEncoder().encode(`${module}\n${name}\n`));
  }

  #list(items: readonly Picklable[]): void {
    this.bytes(EMPTY_LIST, MARK);
    for (const item of items) this.value(item);
    this.bytes(APPENDS);
  }

  #numbers(numbers: readonly number[]): void {
    if (numbers.length === 0) {
      this.bytes(EMPTY_TUPLE);
      return;
    }
    this.bytes(MARK);
    for (const number of numbers) this.#number(number);
    this.bytes(TUPLE);
  }

  #emptyDict(): void {
    this.#global('collections', 'OrderedDict');
    this.bytes(EMPTY_TUPLE, REDUCE);
  }

  #dict(dict: ReadonlyMap<string | number, Picklable>): void {
    this.#emptyDict();
    this.bytes(MARK);
    for (const [key, value] of dict) {
      this.value(key);
      this.value(value);
    }
    this.bytes(SETITEMS);
  }

  /** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`. */
  #tensor({ storageClass, key, count, shape, strides }: StoredTensor): void {
    this.#global('torch._utils', '_rebuild_tensor_v2');
    this.bytes(MARK, MARK);
    this.#text('storage');
    this.#global('torch', storageClass);
    this.#text(key);
    this.#text('cpu');
    this.#number(count);
    this.bytes(TUPLE, BINPERSID);
    this.#number(0);
    this.#numbers(shape);
    this.#numbers(strides);
    this.bytes(FALSE);
    this.#emptyDict();
    this.bytes(TUPLE, REDUCE);
  }
}
