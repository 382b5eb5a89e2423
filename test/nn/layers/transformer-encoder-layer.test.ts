import { TransformerEncoderLayer } from '@firelight/nn';
import {
  assign,
  cos,
  mul,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  ValueError,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import expected from '../../fixtures/transformer-encoder-layer/expected.json' with { type: 'json' };
import { relativeError } from '../../helpers/relative-error.ts';

const SIZES = { embedDim: 6, numHeads: 2, feedForwardDim: 5 };

const made = (shape: readonly number[], seed: number, requiresGrad = false): Tensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(i + seed) / 2);
  return tensor(values, { shape, dtype: 'float32', requiresGrad });
};

describe('TransformerEncoderLayer', () => {
  test.each(expected)('is that of PyTorch: $activation, norm first: $normFirst', (wanted) => {
    const { activation, normFirst, output, input, gradients } = wanted;
    const options = { activation: activation as 'relu' | 'gelu', normFirst, dropout: 0 };
    const layer = new TransformerEncoderLayer({ ...SIZES, ...options });
    layer.namedParameters().forEach(([, parameter], seed) => {
      assign(parameter, made(parameter.shape, seed));
    });
    const x = made([2, 3, 6], 20, true);
    const y = layer.forward(x, { isCausal: true });
    const places = tensor(
      Float32Array.from({ length: y.size }, (_, i) => i),
      { shape: y.shape },
    );
    sum(mul(y, cos(places))).backward();
    expect(relativeError(y.data, output)).toBeLessThan(1e-5);
    expect(relativeError(x.grad?.data ?? [], input)).toBeLessThan(1e-4);
    const actual = Object.fromEntries(layer.namedParameters());
    expect(Object.keys(actual)).toEqual(Object.keys(gradients));
    for (const [name, values] of Object.entries(gradients)) {
      expect(relativeError(actual[name].grad?.data ?? [], values), name).toBeLessThan(1e-4);
    }
  });

  test('drops elements while training alone', () => {
    const layer = new TransformerEncoderLayer({ ...SIZES, dropout: 0.5 });
    const x = made([2, 3, 6], 1);
    layer.train();
    expect(layer.forward(x).data).not.toEqual(layer.forward(x).data);
    layer.eval();
    expect(layer.forward(x).data).toEqual(layer.forward(x).data);
  });

  test('says what is wrong', () => {
    const wrong = { ...SIZES, activation: 'tanh' as 'relu' };
    expect(() => new TransformerEncoderLayer(wrong)).toThrow(/activation must be relu or gelu/);
    expect(() => new TransformerEncoderLayer({ ...SIZES, dropout: 1 })).toThrow(ValueError);
    const layer = new TransformerEncoderLayer(SIZES);
    expect(() => layer.forward(made([2, 3, 5], 1))).toThrow(ShapeError);
  });
});
