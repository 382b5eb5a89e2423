import {
  CheckpointError,
  loadParamIntoNet,
  prune,
  SqueezeNet,
  type StateDict,
  shareWeights,
} from '@firelight/nn';
import { COMPACT, openCheckpoint } from '@firelight/nn/formats';
import { Generator, type Tensor, tensor } from '@firelight/tensor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BitReader, BitWriter } from '../../../packages/nn/src/formats/compact/bits.ts';
import {
  codeLengths,
  encodedBits,
  huffmanReader,
  huffmanWriter,
} from '../../../packages/nn/src/formats/compact/huffman.ts';
import { bitsOf } from '../../helpers/bits.ts';
import { mutantsOf } from '../../helpers/mutations.ts';
import { withChecksum } from '../../helpers/with-checksum.ts';

const ended = (): CheckpointError => new CheckpointError('ended');

test('Huffman codes give back the symbols, in hardly more bits than their entropy', () => {
  const counted = fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      counted,
      fc.array(fc.nat({ max: 2 ** 30 }), { maxLength: 200 }),
      (counts, picks) => {
        const lengths = codeLengths(counts);
        const used = counts.flatMap((count, symbol) => (count > 0 ? [symbol] : []));
        const symbols = used.length === 0 ? [] : picks.map((pick) => used[pick % used.length]);
        const writer = new BitWriter();
        symbols.forEach(huffmanWriter(lengths, writer));
        const bits = new BitReader(writer.finish(), ended);
        const read = huffmanReader(lengths);
        expect(symbols.map(() => read?.(bits))).toEqual(symbols);
        expect(bits.isAtEnd()).toBe(true);
        const all = counts.reduce((sum, count) => sum + count, 0);
        const entropy = counts.reduce((s, n) => (n === 0 ? s : s - n * Math.log2(n / all)), 0);
        expect(encodedBits(counts, lengths)).toBeLessThanOrEqual(entropy + all);
        expect(encodedBits(counts, lengths)).toBeGreaterThanOrEqual(entropy - 1e-6);
      },
    ),
  );
});

test('counts like Fibonacci numbers, whose codes would be too long, get shorter ones', () => {
  const counts = [1, 1];
  while (counts.length < 40) counts.push(counts[counts.length - 1] + counts[counts.length - 2]);
  const lengths = codeLengths(counts);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(24);
  expect(huffmanReader(lengths)).not.toBeNull();
});

async function reread(tensors: StateDict, metadata = {}): Promise<StateDict> {
  const read = await openCheckpoint(await COMPACT.write({ tensors, metadata }), { name: 'file' });
  expect(read.metadata).toEqual(metadata);
  return read.tensors;
}

/** Few different float32 of any bits, many of them 0, in any shape. */
const weights: fc.Arbitrary<Tensor> = fc
  .record({
    words: fc.array(fc.oneof(fc.integer(), fc.constantFrom(0, -0x8000_0000, 0x7f80_0000)), {
      minLength: 1,
      maxLength: 5,
    }),
    picks: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat({ max: 4 })), {
      maxLength: 3000,
      size: 'max',
    }),
    columns: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ words, picks, columns }) => {
    const elements = Int32Array.from(picks, (pick) => (pick < 0 ? 0 : words[pick % words.length]));
    const rows = Math.floor(elements.length / columns);
    const data = new Float32Array(elements.buffer, 0, rows * columns);
    return tensor(data, { shape: [rows, columns] });
  });

test('tensors come back with the same bits', async () => {
  const names = fc.constantFrom('weight', '__proto__', 'constructor', 'a.b', '');
  await fc.assert(
    fc.asyncProperty(names, weights, async (name, weight) => {
      const tensors = Object.assign(Object.create(null), { [name]: weight });
      Object.defineProperty(tensors, name, { value: weight, enumerable: true });
      const read = await reread(tensors);
      expect(Object.keys(read)).toEqual([name]);
      expect(read[name].shape).toEqual(weight.shape);
      expect(bitsOf(read[name].data)).toEqual(bitsOf(weight.data));
    }),
    { numRuns: 60 },
  );
});

test('tensors of other dtypes, scalars and empty ones too', async () => {
  const tensors = {
    count: tensor(7, { dtype: 'int32' }),
    mean: tensor(0.5),
    none: tensor([], { shape: [0, 3] }),
    double: tensor(
      Array.from({ length: 300 }, () => 0.1),
      { dtype: 'float64' },
    ),
    zeros: tensor(new Float32Array(5000), { shape: [50, 100] }),
    same: tensor(new Float32Array(5000).fill(2), { shape: [5000] }),
    many: tensor(Float32Array.from({ length: 400 }, (_, i) => i)),
  };
  const read = await reread(tensors, { note: 'ä' });
  expect(Object.keys(read).sort()).toEqual(Object.keys(tensors).sort());
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    expect(read[name].dtype).toBe(dtype);
    expect(read[name].shape).toEqual(shape);
    expect(read[name].data).toEqual(data);
  }
});

test('a SqueezeNet that was pruned and shares weights takes a tenth, and gives the same logits', async () => {
  const network = new SqueezeNet({ numClasses: 10, generator: new Generator(1) });
  prune(network, { density: 0.33 });
  shareWeights(network, { bits: 6 });
  const bytes = await COMPACT.write({ tensors: network.stateDict(), metadata: {} });
  const elements = network.parameters().reduce((sum, { data }) => sum + data.length, 0);
  expect(bytes.length).toBeLessThan((elements * 4) / 10);
  const other = new SqueezeNet({ numClasses: 10, generator: new Generator(2) });
  expect(loadParamIntoNet(other, await openCheckpoint(bytes))).toEqual([]);
  const image = tensor(Float32Array.from(new Generator(3).normal(3 * 35 * 35)), {
    shape: [1, 3, 35, 35],
  });
  expect(other.eval().forward(image).data).toEqual(network.eval().forward(image).data);
});

test('damaged files are refused or right', async () => {
  const tensors = {
    dense: tensor(Float32Array.from({ length: 300 }, (_, i) => i % 7)),
    sparse: tensor(Float32Array.from({ length: 3000 }, (_, i) => (i % 97 === 0 ? i % 5 : 0))),
    bias: tensor([1, 2]),
  };
  const file = await COMPACT.write({ tensors, metadata: { note: 'a' } });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutantsOf(file), async (mutant) => {
      try {
        const { tensors: read } = await openCheckpoint(withChecksum(mutant), { name: 'file' });
        for (const name of Object.keys(read)) expect(read[name].data).toBeDefined();
      } catch (error) {
        refused++;
        expect(error).toBeInstanceOf(CheckpointError);
        expect((error as Error).message).toMatch(/^file: /);
      }
    }),
    { numRuns: 400 },
  );
  expect(refused).toBeGreaterThan(100);
});
