import type { Module } from '@firelight/nn';
import { type ExportOnnxOptions, exportOnnx, importOnnx } from '@firelight/nn/formats';
import {
  add,
  assign,
  Generator,
  noGrad,
  randn,
  type Shape,
  type Tensor,
  tensor,
} from '@firelight/tensor';
import { expect } from 'vitest';
import { runOnnx } from './onnx-runtime.ts';
import { relativeError } from './relative-error.ts';

const generator = new Generator(7);

/** Gives running statistics, and weights that begin as 0 or 1, values by which they can be told. */
export function stir(network: Module): void {
  const noise = (size: number): Float32Array => Float32Array.from(generator.normal(size));
  for (const [name, buffer] of network.namedBuffers()) {
    const values = noise(buffer.size).map((x) => (name.endsWith('var') ? 0.5 + x * x : 0.3 * x));
    assign(buffer, tensor(values, { shape: buffer.shape }));
  }
  for (const parameter of network.parameters()) {
    const values = noise(parameter.size).map((x) => 0.05 * x);
    assign(parameter, add(parameter.detach(), tensor(values, { shape: parameter.shape })));
  }
}

function inputOf({ inputShape, inputDType }: ExportOnnxOptions, batch: number): Tensor {
  const shape = [batch, ...inputShape.slice(1)];
  if (inputDType !== 'int32') return randn(shape, { generator });
  const size = shape.reduce((product, n) => product * n, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => i % 5),
    { shape, dtype: 'int32' },
  );
}

/**
 * Expects of an exported network that onnxruntime computes what ours does, with one sample and with
 * three, and that it is the same network when it is read back.
 */
export async function expectRoundTrip(
  network: Module,
  options: ExportOnnxOptions,
  tolerance = 1e-5,
): Promise<Uint8Array> {
  const bytes = exportOnnx(network, options);
  expect(network.training).toBe(true);
  const back = await importOnnx(bytes);
  const inputs = [1, 3].map((batch) => inputOf(options, batch));
  const outputs = await runOnnx(bytes, inputs);
  network.eval();
  for (const [i, x] of inputs.entries()) {
    const own = noGrad(() => network.forward(x));
    expect(outputs[i].shape).toEqual(own.shape);
    expect(relativeError(outputs[i].data, own.data)).toBeLessThanOrEqual(tolerance);
    const again = noGrad(() => back.forward(x));
    expect(relativeError(again.data, own.data)).toBeLessThanOrEqual(
      options.foldBatchNorm === true ? tolerance : 1e-6,
    );
  }
  network.train();
  if (options.foldBatchNorm !== true) {
    const names = (of: Module): string[] => of.namedParameters().map(([name]) => name);
    expect(names(back).sort()).toEqual(names(network).sort());
  }
  return bytes;
}

/** A network and the shape of its input. */
export type NamedNetwork = readonly [name: string, make: () => Module, inputShape: Shape];

/** As `expectRoundTrip`, also with batch norms folded if there are any. */
export async function expectRoundTrips(
  network: Module,
  inputShape: Shape,
  tolerance?: number,
): Promise<void> {
  stir(network);
  const whole = await expectRoundTrip(network, { inputShape }, tolerance);
  if (network.namedBuffers().length === 0) return;
  const folded = await expectRoundTrip(network, { inputShape, foldBatchNorm: true }, tolerance);
  expect(folded.length).toBeLessThan(whole.length);
}
