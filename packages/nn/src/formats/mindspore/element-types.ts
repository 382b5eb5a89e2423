import type { DType } from '@firelight/tensor';

/** MindSpore's names of element types, and those that safetensors has for the same bytes. */
export const ELEMENT_TYPE_NAMES = {
  Float64: 'F64',
  Float32: 'F32',
  Float16: 'F16',
  BFloat16: 'BF16',
  Int64: 'I64',
  Int32: 'I32',
  Int16: 'I16',
  Int8: 'I8',
  UInt64: 'U64',
  UInt32: 'U32',
  UInt16: 'U16',
  UInt8: 'U8',
  Bool: 'BOOL',
} as const satisfies Readonly<Record<string, string>>;

/** MindSpore's name of each of our dtypes. */
export const DTYPE_NAMES: Readonly<Record<DType, keyof typeof ELEMENT_TYPE_NAMES>> = {
  float64: 'Float64',
  float32: 'Float32',
  float16: 'Float16',
  bfloat16: 'BFloat16',
  int64: 'Int64',
  int32: 'Int32',
  int8: 'Int8',
  uint32: 'UInt32',
  uint16: 'UInt16',
  uint8: 'UInt8',
  bool: 'Bool',
};

/** What `tensor_type` says of a text: four bytes a character, as NumPy has it. */
export const TEXT_TYPE = 'str';
