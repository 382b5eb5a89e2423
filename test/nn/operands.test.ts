import {
  Accuracy,
  BCEWithLogitsLoss,
  ConfusionMatrix,
  Flatten,
  HuberLoss,
  L1Loss,
  Linear,
  Loss,
  Model,
  MSELoss,
  SoftmaxCrossEntropyWithLogits,
  SqueezeNet,
  TopK,
} from '@firelight/nn';
import { DTypeError, Generator, ones, type Tensor, tensor } from '@firelight/tensor';
import { describe, expect, test } from 'vitest';
import { expectClose } from '../helpers/close.ts';

const generator = new Generator(0);
const linear = new Linear({ inFeatures: 2, outFeatures: 2, generator });
const network = new SqueezeNet({ numClasses: 2, generator });
const logits = ones([2, 2]);
const labels = tensor([0, 1], { dtype: 'int32' });

type Call = (operand: Tensor) => unknown;

const PLACES: Readonly<Record<string, Call>> = {
  'Linear.forward': (x) => linear.forward(x),
  'Flatten.forward': (x) => new Flatten().forward(x),
  'SqueezeNet.forward': (x) => network.forward(x),
  'Model.predict': (x) => new Model({ network: linear }).predict(x),
  'prediction of MSELoss': (x) => new MSELoss().forward(x, logits),
  'target of L1Loss': (x) => new L1Loss().forward(logits, x),
  'target of HuberLoss': (x) => new HuberLoss().forward(logits, x),
  'prediction of BCEWithLogitsLoss': (x) => new BCEWithLogitsLoss().forward(x, logits),
  'logits of a cross-entropy': (x) => new SoftmaxCrossEntropyWithLogits().forward(x, logits),
  'labels of a cross-entropy': (x) => new SoftmaxCrossEntropyWithLogits().forward(logits, x),
  'sparse labels of a cross-entropy': (x) =>
    new SoftmaxCrossEntropyWithLogits({ sparse: true }).forward(logits, x),
  'logits of Accuracy': (x) => new Accuracy().update(x, labels),
  'labels of TopK': (x) => new TopK(1).update(logits, x),
  'labels of ConfusionMatrix': (x) => new ConfusionMatrix().update(logits, x),
  'logits of Loss': (x) => new Loss().update(x, labels, 1),
};

const GARBAGE = [undefined, null, '3', {}, () => 1, Symbol('s'), Promise.resolve(logits)];

test.each(Object.entries(PLACES))('%s refuses what is no tensor by name', (_, call) => {
  for (const value of GARBAGE) {
    expect(() => call(value as never)).toThrow(DTypeError);
    expect(() => call(value as never)).toThrow(/^\w+: \w+ must be a tensor, /);
  }
});

describe('arrays', () => {
  test('stand for predictions, targets and labels', () => {
    const rows = [
      [1, 2],
      [3, 5],
    ];
    const loss = new MSELoss();
    expectClose(loss.forward(tensor(rows), rows), loss.forward(rows, tensor(rows)));
    const sparse = new SoftmaxCrossEntropyWithLogits({ sparse: true });
    expectClose(sparse.forward(rows, [0, 1]), sparse.forward(tensor(rows), labels));
  });

  test('stand for the tensors of a batch', async () => {
    const sparse = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
    const model = new Model({ network: linear, lossFn: sparse });
    const image = [
      [1, 2],
      [3, 5],
    ];
    const asArrays = [{ image, label: [0, 1] }] as never;
    const asTensors = [{ image: tensor(image), label: labels }];
    expect(await model.eval(asArrays)).toEqual(await model.eval(asTensors));
  });

  test.each([['abc'], [null], [3]])('what is no batch (%o) is refused', async (batch) => {
    const model = new Model({ network: linear });
    await expect(model.eval([batch] as never)).rejects.toThrow(
      /Model: a batch must be \{ image, label \} or \[image, label\], got (string|null|number)/,
    );
  });

  test('a batch without an image is refused', async () => {
    const model = new Model({ network: linear });
    await expect(model.eval([{}] as never)).rejects.toThrow(
      /Model: image of a batch must be a tensor, .* got undefined/,
    );
  });
});
