import type { Tensor } from '@firelight/tensor';
import * as ort from 'onnxruntime-web';

ort.env.wasm.numThreads = 1; // Its threads would keep the process alive.

/** What onnxruntime computes with a network of one input and one output. */
export async function runOnnx(
  bytes: Uint8Array,
  inputs: readonly Tensor[],
): Promise<{ readonly shape: readonly number[]; readonly data: Float32Array }[]> {
  const session = await ort.InferenceSession.create(bytes);
  const results = [];
  for (const { data, dtype, shape } of inputs) {
    const given =
      dtype === 'int32'
        ? new ort.Tensor('int32', Int32Array.from(data), [...shape])
        : new ort.Tensor('float32', Float32Array.from(data), [...shape]);
    const outputs = await session.run({ [session.inputNames[0]]: given });
    const output = outputs[session.outputNames[0]];
    results.push({ shape: output.dims, data: output.data as Float32Array }); // Networks give floats.
  }
  return results;
}
