import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  avgPool2d,
  batchNorm2d,
  conv2d,
  maxPool2d,
  mean,
  ones,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { expectClose } from '../../helpers/close.ts';
import { readSafetensors } from '../../helpers/safetensors.ts';
import { sharedPath } from '../../helpers/shared.ts';

const folder = sharedPath('golden');
const filesOf = (prefix: string): string[] =>
  folder === null ? [] : readdirSync(folder).filter((name) => name.startsWith(prefix));
const read = (name: string) => readSafetensors(join(folder as string, name));

/** A copy that collects a gradient. */
const leaf = ({ data, shape }: Tensor): Tensor => tensor(data, { shape, requiresGrad: true });

describe.skipIf(folder === null)('PyTorch agrees (skipped without ../shared/golden)', () => {
  test.each(filesOf('conv2d'))('%s', (name) => {
    const { tensors, metadata } = read(name);
    const [x, weight, bias] = [leaf(tensors.x), leaf(tensors.weight), leaf(tensors.bias)];
    const options = Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key, JSON.parse(value)]),
    );
    const y = conv2d(x, weight, bias, options);
    y.backward(tensors.gy);
    expectClose(y, tensors.y);
    expectClose(x.grad as Tensor, tensors.gx);
    expectClose(weight.grad as Tensor, tensors.gweight);
    expectClose(bias.grad as Tensor, tensors.gbias);
  });

  test.each([...filesOf('max_pool2d'), ...filesOf('avg_pool2d')])('%s', (name) => {
    const { tensors, metadata } = read(name);
    const pool = name.startsWith('max') ? maxPool2d : avgPool2d;
    const x = leaf(tensors.x);
    const y = pool(x, {
      kernelSize: JSON.parse(metadata.kernel),
      stride: JSON.parse(metadata.stride),
      padding: JSON.parse(metadata.padding),
    });
    y.backward(tensors.gy);
    expectClose(y, tensors.y);
    expectClose(x.grad as Tensor, tensors.gx);
  });

  test.each(filesOf('cross_entropy'))('%s', (name) => {
    const { tensors } = read(name);
    const logits = leaf(tensors.logits);
    const loss = mean(softmaxCrossEntropy(logits, tensors.labels));
    loss.backward();
    expect(loss.item()).toBeCloseTo(tensors.loss.item(), 5);
    expectClose(logits.grad as Tensor, tensors.glogits);
  });

  test('batch_norm2d-0', () => {
    const { tensors, metadata } = read('batch_norm2d-0.safetensors');
    const C = tensors.x.shape[1];
    const x = leaf(tensors.x);
    const [weight, bias] = [leaf(tensors.weight ?? ones([C])), leaf(tensors.bias ?? zeros([C]))];
    const [runningMean, runningVariance] = [zeros([C]), ones([C])];
    const y = batchNorm2d(x, weight, bias, {
      runningMean,
      runningVariance,
      momentum: Number(metadata.momentum),
      epsilon: Number(metadata.eps),
    });
    y.backward(tensors.gy);
    expectClose(y, tensors.y);
    expectClose(x.grad as Tensor, tensors.gx);
    expectClose(weight.grad as Tensor, tensors.gweight);
    expectClose(bias.grad as Tensor, tensors.gbias);
    expectClose(runningMean, tensors.running_mean);
    expectClose(runningVariance, tensors.running_var);
  });

  test('has files of every kind', () => {
    expect(filesOf('conv2d')).toHaveLength(7);
    expect(filesOf('max_pool2d')).toHaveLength(3);
    expect(filesOf('avg_pool2d')).toHaveLength(3);
    expect(filesOf('cross_entropy')).toHaveLength(2);
  });
});
