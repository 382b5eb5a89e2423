import { type Tensor, tensor } from '@firelight/tensor';
import { elementCount, formatShape, quote, type Shape } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import {
  ELEMENT_TYPES,
  type ElementType,
  elementsOfField,
  tensorOfElements,
} from './element-types.ts';
import type { Message } from './message.ts';

/** Where the elements of a tensor lie that are in a file of their own, in the model's folder. */
interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
  /** Bytes, or null for all up to the end of the file. */
  readonly length: number | null;
}

/** A tensor of an ONNX file, whose elements are read when they are asked for. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  /** Set if the elements are in another file. */
  readonly external: ExternalPlace | null;

  /**
   * The elements as a new tensor.
   *
   * @param file the file that `external` names
   * @throws the source's error if elements are missing, or one does not fit into the dtype
   */
  read(file?: ByteSource): Tensor;
}

const EXTERNAL = 1;

/** @throws the source's error for a type that is not computed here, or a shape without its elements */
export function readTensorProto(message: Message): OnnxTensor {
  const name = message.text(8);
  const what = `tensor ${quote(name)}`;
  const shape = message.integers(1);
  const code = message.integer(2);
  const type = ELEMENT_TYPES.get(code);
  if (type === undefined) {
    const kind = code === 8 ? 'texts' : `elements of ONNX's type ${code}`;
    throw message.error(
      `${what} has ${kind}, which are not computed here; supported are ${namesOfTypes()}`,
    );
  }
  const count = elementCount(shape);
  if (shape.some((length) => length < 0) || !Number.isSafeInteger(count)) {
    throw message.error(`${what} has the shape ${formatShape(shape)}, which no tensor can have`);
  }
  const wrongLength = (found: string): never => {
    throw message.error(
      `${what} of shape ${formatShape(shape)} needs ${count} elements of ${type.name}, and has ${found}; ` +
        'the file is cut off or damaged',
    );
  };
  const tensorOf = (elements: ArrayLike<number>): Tensor =>
    tensorOfElements(elements, shape, type, (element) => {
      throw message.error(`${what} has the element ${element}, which ${type.dtype} does not hold`);
    });
  // A copy, which also lies at a multiple of the elements' size.
  const fromBytes = (bytes: Uint8Array): Tensor =>
    tensorOf(type.fromBytes(new Uint8Array(bytes).buffer));

  const raw = message.place(9);
  if (message.integer(14) === EXTERNAL) {
    const external = readPlace(message, what);
    if ((external.length ?? count * type.bytes) !== count * type.bytes) {
      wrongLength(`${external.length} bytes in ${quote(external.location)}`);
    }
    const read = (file?: ByteSource): Tensor => {
      if (file === undefined) {
        throw message.error(
          `${what} is in the file ${quote(external.location)}, which importOnnx reads with the model`,
        );
      }
      return fromBytes(file.bytes(external.offset, external.offset + count * type.bytes));
    };
    return { name, shape, type, external, read };
  }
  if (raw !== undefined) {
    const length = raw.end - raw.start;
    if (length !== count * type.bytes) wrongLength(`${length} bytes`);
    const read = (): Tensor => fromBytes(message.source.bytes(raw.start, raw.end));
    return { name, shape, type, external: null, read };
  }
  // Not the shape decides how much memory this takes, but what is in the file.
  const elements = elementsOfField(message, type);
  if (elements.length !== count) wrongLength(String(elements.length));
  return { name, shape, type, external: null, read: () => tensorOf(elements) };
}

function namesOfTypes(): string {
  return [...ELEMENT_TYPES.values()].map(({ name }) => name).join(', ');
}

function readPlace(message: Message, what: string): ExternalPlace {
  const entries = new Map(message.messages(13).map((entry) => [entry.text(1), entry.text(2)]));
  const number = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw message.error(`${what} is in another file at ${key} ${quote(text)}, which is no number`);
  };
  return {
    location: entries.get('location') ?? '',
    offset: number('offset') ?? 0,
    length: number('length'),
  };
}

/** What an attribute of numbers holds, as a tensor: float32, or int64. */
export function tensorOfNumbers(numbers: number | readonly number[], isFloat: boolean): OnnxTensor {
  const [code, dtype] = isFloat ? ([1, 'float32'] as const) : ([7, 'int32'] as const);
  return {
    name: '',
    shape: typeof numbers === 'number' ? [] : [numbers.length],
    type: ELEMENT_TYPES.get(code) as ElementType, // The table has both.
    external: null,
    read: () => tensor(numbers, { dtype }),
  };
}
