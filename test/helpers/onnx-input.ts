import { type Shape, type Tensor, tensor } from '@firelight/tensor';

/** The input of all networks in fixtures and in ../shared/interop: x[i] = ((37 i) mod 101) / 50 − 1. */
export function onnxInput(shape: Shape): Tensor {
  const length = shape.reduce((product, n) => product * n, 1);
  return tensor(
    Float32Array.from({ length }, (_, i) => ((i * 37) % 101) / 50 - 1),
    { shape },
  );
}
