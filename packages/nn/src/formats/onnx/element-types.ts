import { cast, type DType, Tensor, type TypedArray } from '@firelight/tensor';
import { NdArray, newTypedArray, type Shape } from '@firelight/tensor/extend';
import type { Message } from './message.ts';

/** An element type of ONNX: how its elements lie in a file, and what they are computed as here. */
export interface ElementType {
  /** The name that ONNX has for it. */
  readonly name: string;
  /**
   * What tensors of it are here. Integers of 64 bits are int32, since they are sizes, axes and positions;
   * floats of 16 bits are float32.
   */
  readonly dtype: DType;
  /** Bytes of an element in `raw_data`. */
  readonly bytes: number;
  /** The field that holds elements where `raw_data` does not, and of what it is a row. */
  readonly field: readonly [number: number, of: 'integers' | 4 | 8];
  /** Elements out of `raw_data`, or of a row that lies as they do. */
  readonly fromBytes: (bytes: ArrayBuffer) => ArrayLike<number>;
  /** The dtype of the file where it is another than that of the computation and can be cast. */
  readonly storedAs?: 'float16' | 'bfloat16';
}

const MOST_INT32 = 2 ** 31 - 1;
/** Beyond it an integer stands for "as far as there is", such as the end of a slice. */
const NO_END = 2 ** 53 - 1;

function saturating(integers: BigInt64Array | BigUint64Array): Float64Array {
  return Float64Array.from(integers, (integer) =>
    Math.min(Math.max(Number(integer), -NO_END), NO_END),
  );
}

type Row = readonly [
  code: number,
  name: string,
  dtype: DType,
  field: ElementType['field'],
  View: new (bytes: ArrayBuffer) => ArrayLike<number>,
];

const INT32_DATA = [5, 'integers'] as const;
const INT64_DATA = [7, 'integers'] as const;
const UINT64_DATA = [11, 'integers'] as const;

const PLAIN: readonly Row[] = [
  [1, 'float32', 'float32', [4, 4], Float32Array],
  [2, 'uint8', 'uint8', INT32_DATA, Uint8Array],
  [3, 'int8', 'int8', INT32_DATA, Int8Array],
  [4, 'uint16', 'uint16', INT32_DATA, Uint16Array],
  [5, 'int16', 'int32', INT32_DATA, Int16Array],
  [6, 'int32', 'int32', INT32_DATA, Int32Array],
  [9, 'bool', 'bool', INT32_DATA, Uint8Array],
  [11, 'float64', 'float64', [10, 8], Float64Array],
  [12, 'uint32', 'int32', UINT64_DATA, Uint32Array],
];

function plain([code, name, dtype, field, View]: Row): [number, ElementType] {
  const bytes = new View(new ArrayBuffer(8)).length;
  const fromBytes = (raw: ArrayBuffer): ArrayLike<number> => new View(raw);
  return [code, { name, dtype, bytes: 8 / bytes, field, fromBytes }];
}

const half = (name: 'float16' | 'bfloat16'): ElementType => ({
  name,
  dtype: 'float32',
  bytes: 2,
  field: INT32_DATA,
  fromBytes: (raw) => new Uint16Array(raw),
  storedAs: name,
});

const long = (
  name: string,
  field: ElementType['field'],
  View: new (bytes: ArrayBuffer) => BigInt64Array | BigUint64Array,
): ElementType => ({
  name,
  dtype: 'int32',
  bytes: 8,
  field,
  fromBytes: (raw) => saturating(new View(raw)),
});

/**
 * Element types by their numbers in files.
 *
 * @see onnx/onnx, onnx/onnx.proto, TensorProto.DataType
 */
export const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map<number, ElementType>([
  ...PLAIN.map(plain),
  [7, long('int64', INT64_DATA, BigInt64Array)],
  [10, half('float16')],
  [13, long('uint64', UINT64_DATA, BigUint64Array)],
  [16, half('bfloat16')],
]);

/** Elements that stand in the field of their own type. */
export function elementsOfField(
  message: Message,
  { field: [number, of], fromBytes }: ElementType,
): ArrayLike<number> {
  if (of === 'integers') return message.integers(number);
  const { buffer } = message.fixed(number, of);
  return fromBytes(buffer as ArrayBuffer); // `fixed` made it.
}

/**
 * Elements as a tensor of the dtype that they are computed as.
 *
 * @param refuse called with an element that the dtype does not hold
 */
export function tensorOfElements(
  elements: ArrayLike<number>,
  shape: Shape,
  { dtype, storedAs }: ElementType,
  refuse: (element: number) => never,
): Tensor {
  const stored = storedAs ?? dtype;
  const data = newTypedArray(stored, elements.length);
  if (dtype === 'float32' || dtype === 'float64') data.set(elements);
  else setIntegers(data, elements, dtype, refuse);
  const tensor = new Tensor(NdArray.fromTypedArray(data, shape, stored));
  return storedAs === undefined ? tensor : cast(tensor, dtype);
}

function setIntegers(
  data: TypedArray,
  elements: ArrayLike<number>,
  dtype: DType,
  refuse: (element: number) => never,
): void {
  for (let i = 0; i < data.length; i++) {
    const given = elements[i];
    const hasNoEnd = dtype === 'int32' && Math.abs(given) === NO_END;
    const element = hasNoEnd ? Math.sign(given) * MOST_INT32 : given;
    data[i] = element;
    if (data[i] !== element || (dtype === 'bool' && element > 1)) refuse(given);
  }
}
