import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchNorm2d,
  CheckpointError,
  Conv2d,
  Flatten,
  Linear,
  loadParamIntoNet,
  ReLU,
  registerCheckpointFormat,
  Sequential,
  SGD,
  saveCheckpoint,
} from '@firelight/nn';
import { encodePytorch, openCheckpoint, PYTORCH, savePytorch } from '@firelight/nn/formats';
import {
  DTYPES,
  DTypeError,
  mean,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  ValueError,
} from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { hasCommand } from '../../helpers/has-command.ts';
import { PYTHON } from '../../helpers/interop.ts';

const folder = mkdtempSync(join(tmpdir(), 'firelight-pytorch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = (name: string): string => join(import.meta.dirname, '../../fixtures/pytorch', name);

const dtypes = DTYPES.filter((dtype) => dtype !== 'uint16' && dtype !== 'uint32');
const samples: Readonly<Record<string, Tensor>> = {
  ...Object.fromEntries(
    dtypes.map((dtype) => [dtype, tensor([0, 1, 1, 0, 1, 1], { dtype, shape: [2, 3] })]),
  ),
  'features.0.größe': tensor(-3.5),
  empty: tensor([], { shape: [0, 3] }),
  __proto__x: tensor([2 ** 53 - 1, -(2 ** 40)], { dtype: 'int64' }),
};
const valuesOf = (tensors: Readonly<Record<string, Tensor>>) =>
  Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
    ...[name, dtype, shape, Array.from(data, Number)],
  ]);

describe('what is written', () => {
  test('is read again', async () => {
    const path = await savePytorch(samples, join(folder, 'weights'));
    expect(path).toBe(join(folder, 'weights.pth'));
    const { tensors, notes, metadata } = await openCheckpoint(path);
    expect(valuesOf(tensors)).toEqual(valuesOf(samples));
    expect([notes, { ...metadata }]).toEqual([[], {}]);
  });

  test('keeps strings beside the weights, also by saveCheckpoint', async () => {
    registerCheckpointFormat(PYTORCH);
    const path = await saveCheckpoint({ a: samples.float32 }, join(folder, 'b.pt'), {
      model: 'mine',
    });
    const { tensors, metadata } = await openCheckpoint(path);
    expect([Object.keys(tensors), { ...metadata }]).toEqual([['a'], { model: 'mine' }]);
    const taken = { tensors: { a: samples.float32 }, metadata: { state_dict: 'x' } };
    expect(() => encodePytorch(taken)).toThrow(
      new ValueError("pytorch: no string can be called 'state_dict'; take another name"),
    );
  });

  test('stores shared elements once', async () => {
    const weight = tensor(new Float32Array(10_000));
    const path = await savePytorch({ a: weight, b: weight }, join(folder, 'shared.bin'));
    expect(statSync(path).size).toBeLessThan(45_000);
    expect(Object.keys((await openCheckpoint(path)).tensors)).toEqual(['a', 'b']);
  });

  test('has no dtypes that PyTorch lacks, and must have a place', async () => {
    for (const dtype of ['uint16', 'uint32'] as const) {
      const saved = savePytorch({ a: tensor([1], { dtype }) }, join(folder, 'c'));
      await expect(saved).rejects.toThrow(DTypeError);
      await expect(saved).rejects.toThrow(
        /^pytorch: 'a' is of uint\d+, which PyTorch before 2\.3 lacks/,
      );
    }
    const saved = savePytorch(samples, join(await savePytorch(samples, join(folder, 'd')), 'e'));
    await expect(saved).rejects.toThrow(CheckpointError);
  });
});

/** The network of make.py. */
const createNetwork = (): Sequential =>
  new Sequential([
    new Conv2d({ inChannels: 1, outChannels: 4, kernelSize: 3, padding: 1, bias: true }),
    new BatchNorm2d({ numFeatures: 4 }),
    new ReLU(),
    new Flatten(),
    new Linear({ inFeatures: 64, outFeatures: 3 }),
  ]);

function train(network: Sequential, optimizer: SGD, steps: readonly number[]): number[] {
  return steps.map((step) => {
    const image = Array.from({ length: 96 }, (_, i) => (((i + 96 * step) * 37) % 101) / 50 - 1);
    const label = Array.from({ length: 6 }, (_, i) => (i + step) % 3);
    const logits = network.forward(tensor(image, { shape: [6, 1, 4, 4] }));
    const loss = mean(softmaxCrossEntropy(logits, tensor(label, { dtype: 'int32' })));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss.item();
  });
}

test('a training that PyTorch began goes on here, and there again', async () => {
  const { losses } = JSON.parse(readFileSync(fixture('losses.json'), 'utf8')) as {
    losses: number[];
  };
  const expectClose = (found: readonly number[], expected: readonly number[]): void => {
    found.forEach((loss, i) => {
      expect(Math.abs(loss - expected[i])).toBeLessThan(1e-4);
    });
  };
  const checkpoint = await openCheckpoint(fixture('stopped.pth'));
  const [group] = checkpoint.optimizer?.groups ?? [];
  const network = createNetwork();
  loadParamIntoNet(network, checkpoint);
  const { lr, momentum, weight_decay: weightDecay, nesterov } = group.settings;
  const optimizer = new SGD(
    [{ parameters: network.parameters(), weightDecay: Number(weightDecay) }],
    {
      ...{ learningRate: Number(lr), momentum: Number(momentum), nesterov: nesterov === true },
    },
  );
  optimizer.loadStateDict(checkpoint.optimizer?.state ?? {}, network);
  expectClose(train(network, optimizer, [5, 6, 7, 8, 9]), losses.slice(5, 10));
  const state = optimizer.stateDict(network);
  const path = await savePytorch(
    { tensors: network.stateDict(), metadata: {}, optimizer: { state, groups: [group] } },
    join(folder, 'back.pth'),
  );
  const again = await openCheckpoint(path);
  expect(again.optimizer?.groups).toEqual([group]);
  const velocity = 'velocity.0.weight';
  expect(again.optimizer?.state[velocity].toArray()).toEqual(state[velocity].toArray());
  if (!hasCommand(PYTHON, '-c', 'import torch')) return; // What follows asks PyTorch itself.
  const printed = execFileSync(PYTHON, [fixture('make.py'), path], { encoding: 'utf8' });
  expectClose(JSON.parse(printed), losses.slice(10));
});

test.skipIf(!hasCommand(PYTHON, '-c', 'import torch'))(
  'torch.load reads it with weights_only (skipped without PyTorch)',
  async () => {
    const path = await savePytorch(samples, join(folder, 'for-torch.pth'));
    const program = `
import json, sys, torch
state = torch.load(sys.argv[1], weights_only=True)
print(json.dumps([[k, str(v.dtype)[6:], list(v.shape), v.double().flatten().tolist()] for k, v in state.items()]))
`;
    const printed = execFileSync(PYTHON, ['-c', program, path], { encoding: 'utf8' });
    expect(JSON.parse(printed)).toEqual(valuesOf(samples));
  },
);
