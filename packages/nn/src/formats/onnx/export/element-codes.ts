import type { DType } from '@firelight/tensor';

/** Numbers of dtypes in ONNX files; see `ELEMENT_TYPES`. */
export const ELEMENT_CODES: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  bfloat16: 16,
};
