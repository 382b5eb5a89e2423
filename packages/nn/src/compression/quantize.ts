import { cast, mul, reshape, type Tensor, tensor, ValueError } from '@firelight/tensor';
import { elementCount, expectThat, formatShape, quote } from '@firelight/tensor/extend';
import { Module, type StateDict } from '../module/module.ts';

const SCALE = '.scale';
const MOST = 127;

/**
 * The state of a network with its float weights of two axes or more as int8, for files of a quarter of the
 * size: each output channel o has a scale of its own,
 *
 *     scale[o] = max |weight[o]| / 127,  q[o, …] = round(weight[o, …] / scale[o]),
 *
 * which the state holds as `<name>.scale`, float32 [O]. Other tensors are as they were. The network itself
 * computes in float32: `loadParamIntoNet(network, dequantize(state))`.
 *
 * @throws ValueError if a weight is not finite, or a name with `.scale` is taken
 */
export function quantize(source: Module | StateDict): StateDict {
  const state = source instanceof Module ? source.stateDict() : source;
  const entries = Object.entries(state).flatMap(([name, each]): [string, Tensor][] => {
    const isWeight =
      each.shape.length >= 2 && (each.dtype === 'float32' || each.dtype === 'float64');
    if (!isWeight) return [[name, each]];
    if (Object.hasOwn(state, name + SCALE)) {
      throw new ValueError(
        `quantize: ${quote(name + SCALE)} is taken; is the state quantized already?`,
      );
    }
    const { q, scale } = quantized(name, each);
    return [
      [name, q],
      [name + SCALE, scale],
    ];
  });
  return Object.fromEntries(entries);
}

function quantized(name: string, { data, shape }: Tensor): { q: Tensor; scale: Tensor } {
  const [channels] = shape;
  const length = elementCount(shape.slice(1));
  const scales = new Float32Array(channels);
  const codes = new Int8Array(data.length);
  for (let channel = 0; channel < channels; channel++) {
    const weights = Float64Array.from(data.subarray(channel * length, (channel + 1) * length));
    const most = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
    expectThat(Number.isFinite(most), 'quantize', `channel ${channel} of ${name}`, 'finite', most);
    const scale = Math.fround(most / MOST);
    scales[channel] = scale;
    // The scale of the smallest numbers may be 0.
    if (scale > 0)
      codes.set(
        weights.map((weight) => Math.round(weight / scale)),
        channel * length,
      );
  }
  return { q: tensor(codes, { shape }), scale: tensor(scales) };
}

/**
 * Undoes `quantize` but for rounding: int8 tensors with a `<name>.scale` become float32, the product of
 * both, and the scales go. What is no such pair is as it was.
 *
 * @throws ValueError if a scale has not as many elements as there are channels
 */
export function dequantize(state: StateDict): StateDict {
  const isPair = (name: string): boolean =>
    Object.hasOwn(state, name) &&
    Object.hasOwn(state, name + SCALE) &&
    state[name].dtype === 'int8';
  const entries = Object.keys(state).flatMap((name): [string, Tensor][] => {
    if (name.endsWith(SCALE) && isPair(name.slice(0, -SCALE.length))) return [];
    if (!isPair(name)) return [[name, state[name]]];
    const [q, scale] = [state[name], state[name + SCALE]];
    const [channels, ...others] = q.shape;
    if (scale.shape.length !== 1 || scale.shape[0] !== channels) {
      throw new ValueError(
        `dequantize: ${quote(name + SCALE)} must have the shape [${channels}], one for each channel of ` +
          `${quote(name)} ${formatShape(q.shape)}, got ${formatShape(scale.shape)}`,
      );
    }
    const ofChannels = reshape(scale, [channels, ...others.map(() => 1)]);
    return [[name, mul(cast(q, 'float32'), ofChannels)]];
  });
  return Object.fromEntries(entries);
}
