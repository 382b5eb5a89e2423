import { Generator, type Tensor, tensor } from '@firelight/tensor';

/** Numbers of N(0, 1) in float32. */
export function random(shape: readonly number[], seed: number, requiresGrad = false): Tensor {
  const count = shape.reduce((product, length) => product * length, 1);
  const values = Float32Array.from(new Generator(seed).normal(count));
  return tensor(values, { shape, requiresGrad });
}

/** The output and the gradients by all inputs, for a random gradient by the output. */
export function evaluate(
  run: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
): Tensor[] {
  for (const input of inputs) input.grad = null;
  const y = run(...inputs);
  y.backward(random(y.shape, 99));
  return [y, ...inputs.map((input) => input.grad as Tensor)];
}
