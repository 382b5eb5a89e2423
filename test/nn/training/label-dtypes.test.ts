import { Linear, Model, Momentum, SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import { cast, type DType, DTypeError, Generator, randn, tensor } from '@firelight/tensor';
import { expect, test } from 'vitest';

const image = randn([4, 2], { generator: new Generator(1) });

/** A new network after one step, its loss and its accuracy. */
async function trained(label: ReturnType<typeof tensor>, input = image): Promise<unknown> {
  const network = new Linear({ inFeatures: 2, outFeatures: 3, generator: new Generator(0) });
  const model = new Model({
    network,
    lossFn: new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' }),
    optimizer: new Momentum(network.parameters(), { learningRate: 0.1, momentum: 0.9 }),
    metrics: ['accuracy', 'loss'],
  });
  const batch = { image: input, label };
  await model.train(1, [batch]);
  return [network.weight.toArray(), await model.eval([batch])];
}

test('labels of any integer dtype train and count as those of int32', async () => {
  const labels = tensor([2, 0, 1, 2], { dtype: 'int32' });
  const expected = await trained(labels);
  const dtypes: readonly DType[] = ['uint8', 'int8', 'uint16', 'uint32', 'int64'];
  for (const dtype of dtypes) expect(await trained(cast(labels, dtype)), dtype).toEqual(expected);
});

test('images of 16 bits are refused with what to do', async () => {
  const labels = tensor([2, 0, 1, 2], { dtype: 'int32' });
  const training = trained(labels, cast(image, 'float16'));
  await expect(training).rejects.toThrow(DTypeError);
  await expect(trained(labels, cast(image, 'float16'))).rejects.toThrow(
    'Model: image of a batch is float16, which is stored but not computed with; cast() it to float32 first',
  );
});
