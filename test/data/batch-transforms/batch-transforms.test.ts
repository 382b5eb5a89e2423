import { type BatchArrays, batches, CutMix, type Dataset, Mixup, OneHot } from '@firelight/data';
import { SoftmaxCrossEntropyWithLogits } from '@firelight/nn';
import { Generator, ShapeError, tensor, ValueError } from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** A batch of `count` images whose pixels all hold their own number. */
const batchOf = (count: number, height = 4, width = 6): BatchArrays => ({
  pixels: Float32Array.from({ length: count * 2 * height * width }, (_, i) =>
    Math.floor(i / (2 * height * width)),
  ),
  imageShape: [count, 2, height, width],
  labels: Int32Array.from({ length: count }, (_, i) => i),
  labelShape: [count],
});

describe('OneHot', () => {
  test('gives probabilities, smoothed if told', () => {
    const { labels, labelShape } = new OneHot(3).apply(batchOf(2));
    expect([[...labels], labelShape]).toEqual([
      [1, 0, 0, 0, 1, 0],
      [2, 3],
    ]);
    const smooth = new OneHot(4, { smoothing: 0.2 }).apply(batchOf(1)).labels;
    for (const [i, value] of [0.85, 0.05, 0.05, 0.05].entries()) {
      expect(smooth[i]).toBeCloseTo(value, 6);
    }
  });

  test('refuses what does not fit', () => {
    expect(() => new OneHot(0)).toThrow(ValueError);
    expect(() => new OneHot(2).apply(batchOf(3))).toThrow(/label 2 is not in 0 to 1/);
    const twice = () => new OneHot(2).apply(new OneHot(2).apply(batchOf(2)));
    expect(twice).toThrow(ShapeError);
    expect(twice).toThrow(/labels must be class numbers \[N\], got \[2, 2\]; apply it once/);
  });
});

const cases = fc.record({
  count: fc.integer({ min: 1, max: 6 }),
  alpha: fc.constantFrom(0.01, 0.2, 1, 8),
  seed: fc.nat(),
});

test('Mixup mixes images and labels by the same weights', () => {
  fc.assert(
    fc.property(cases, ({ count, alpha, seed }) => {
      const plain = new OneHot(count).apply(batchOf(count));
      const mixed = new Mixup({ alpha }).apply(plain, new Generator(seed));
      expect(new Mixup({ alpha }).apply(plain, new Generator(seed))).toEqual(mixed);
      expect(plain).toEqual(new OneHot(count).apply(batchOf(count)));
      for (let sample = 0; sample < count; sample++) {
        const row = Array.from(mixed.labels).slice(sample * count, (sample + 1) * count);
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        // A pixel is its image's number, so the mean of the labels is the mixed pixel.
        const mean = row.reduce((sum, share, label) => sum + share * label, 0);
        expect(mixed.pixels[sample * 48]).toBeCloseTo(mean, 4);
        expect(mixed.pixels[sample * 48 + 47]).toBeCloseTo(mean, 4);
      }
    }),
  );
});

test('CutMix mixes labels by the area of the rectangle', () => {
  const areas = new Set<number>();
  fc.assert(
    fc.property(cases, ({ count, alpha, seed }) => {
      const plain = new OneHot(count).apply(batchOf(count));
      const mixed = new CutMix({ alpha }).apply(plain, new Generator(seed));
      expect(new CutMix({ alpha }).apply(plain, new Generator(seed))).toEqual(mixed);
      expect(plain).toEqual(new OneHot(count).apply(batchOf(count)));
      for (let sample = 0; sample < count; sample++) {
        const row = Array.from(mixed.labels).slice(sample * count, (sample + 1) * count);
        const image = mixed.pixels.subarray(sample * 48, (sample + 1) * 48);
        for (const [label, share] of row.entries()) {
          const area = image.filter((value) => value === label).length / 48;
          expect(share).toBeCloseTo(area, 5);
          areas.add(area);
        }
      }
    }),
  );
  expect(areas.size).toBeGreaterThan(5);
});

test('weights are of the distribution Beta(α, α)', () => {
  const one = new OneHot(2).apply(batchOf(2));
  for (const alpha of [0.3, 1, 4]) {
    const weights: number[] = [];
    const generator = new Generator(7);
    while (weights.length < 4000) {
      const { labels } = new Mixup({ alpha }).apply(one, generator);
      if (labels[0] !== 1) weights.push(labels[0]);
    }
    const mean = weights.reduce((a, b) => a + b) / weights.length;
    const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length;
    expect(mean).toBeCloseTo(0.5, 1);
    // The variance of Beta(α, α) is 1 / (4 (2α + 1)).
    expect(variance * 4 * (2 * alpha + 1)).toBeGreaterThan(0.93);
    expect(variance * 4 * (2 * alpha + 1)).toBeLessThan(1.07);
  }
});

test('refuse class numbers and bad shapes of the distribution', () => {
  for (const transform of [new Mixup(), new CutMix()]) {
    expect(() => transform.apply(batchOf(2), new Generator(0))).toThrow(
      /labels must be probabilities \[N, classes\], got \[2\]; put OneHot before/,
    );
  }
  expect(() => new Mixup({ alpha: 0 })).toThrow(/alpha must be finite and above 0, got 0/);
  expect(() => new CutMix({ alpha: Number.NaN })).toThrow(ValueError);
});

test('batches apply them, and the loss takes their labels', async () => {
  const dataset: Dataset = {
    length: 4,
    get: (index) => ({
      image: { data: Uint8Array.of(index), height: 1, width: 1, channels: 1, layout: 'CHW' },
      label: index,
    }),
  };
  const batchTransforms = [new OneHot(4, { smoothing: 0.1 }), new Mixup({ alpha: 0.5 })];
  for await (const { image, label } of batches(dataset, { batchTransforms })) {
    expect([image.shape, label.shape, label.dtype]).toEqual([[4, 1, 1, 1], [4, 4], 'float32']);
    const logits = tensor(new Float32Array(16), { shape: [4, 4] });
    const loss = new SoftmaxCrossEntropyWithLogits({ reduction: 'mean' }).forward(logits, label);
    expect(loss.item()).toBeCloseTo(Math.log(4), 5);
  }
});
