import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Batch,
  type BatchOptions,
  batches,
  Cifar10,
  ColorJitter,
  Compose,
  CutMix,
  Cutout,
  HWC2CHW,
  Normalize,
  OneHot,
  RandomCrop,
  RandomHorizontalFlip,
  RandomRotation,
  Rescale,
  Resize,
  syntheticCifar10,
} from '@firelight/data';
import { Generator } from '@firelight/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Broken, Numbers } from '../../fixtures/loader/numbers.ts';

const bytes = syntheticCifar10({ count: 70, seed: 3 });
const transform = new Compose([
  new RandomCrop(32, { padding: 4 }),
  new RandomHorizontalFlip(),
  new RandomRotation(10, { interpolation: 'linear' }),
  new ColorJitter({ brightness: 0.3, hue: 0.1 }),
  new Resize([40, 40]),
  new Rescale(1 / 255, 0),
  new Normalize({ mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] }),
  new Cutout(8),
  new HWC2CHW(),
]);

/** Shapes, types and checksums of all batches. */
async function contents(source: AsyncIterable<Batch> | Batch[]): Promise<string[]> {
  const list: string[] = [];
  for await (const { image, label } of source) {
    const sums = [image, label].map(({ data, shape, dtype }) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return `${shape} ${dtype} ${createHash('sha256').update(bytes).digest('hex')}`;
    });
    list.push(sums.join(' '));
  }
  return list;
}

const cifar = (options: BatchOptions): Cifar10 =>
  Cifar10.fromBytes(bytes, {
    transform,
    batchSize: 16,
    generator: new Generator(5),
    repeat: 2,
    ...options,
  });

/** What Node holds for threads that run. */
const workersAlive = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker')
    .length;

describe('batches on worker threads', () => {
  test('have the same bytes with 0, 1 and 4 workers, and leave the generator in the same state', async () => {
    const mixing = { batchTransforms: [new OneHot(10), new CutMix()] };
    for (const options of [{}, mixing]) {
      const here = cifar({ ...options });
      const expected = await contents(here);
      expect(expected).toHaveLength(10);
      expect(expected[4]).toMatch(/^6,3,40,40 float32 \w+ 6/);
      for (const workers of [1, 4]) {
        const there = cifar({ ...options, workers });
        expect(await contents(there)).toEqual(expected);
        expect(there.generator.state()).toEqual(here.generator.state());
      }
    }
  }, 120_000);

  test('stay as they were while the next ones are made in the same memory', async () => {
    const kept: Batch[] = [];
    const then: string[] = [];
    for await (const batch of cifar({ workers: 1, prefetch: 1, repeat: 1 })) {
      kept.push(batch);
      then.push(...(await contents([batch])));
    }
    expect(await contents(kept)).toEqual(then);
  }, 120_000);

  test('go on exactly where an iteration was left', async () => {
    const whole = await contents(cifar({ repeat: 1 }));
    const source = cifar({ repeat: 1, workers: 2, prefetch: 3 });
    const saved = source.generator.state();
    let taken = 0;
    for await (const _ of source) if (++taken === 2) break;
    const again = cifar({ repeat: 1, workers: 2, generator: Generator.fromState(saved) });
    expect(await contents(again.from(2))).toEqual(whole.slice(2));
  }, 120_000);

  test('stop their threads at the end, at a break, and when the loop throws', async () => {
    const before = workersAlive();
    for await (const _ of cifar({ workers: 2 })) break;
    expect(workersAlive()).toBe(before);
    const loop = async () => {
      for await (const _ of cifar({ workers: 2 })) throw new Error('mine');
    };
    await expect(loop()).rejects.toThrow('mine');
    expect(workersAlive()).toBe(before);
    await contents(cifar({ workers: 2, repeat: 1 }));
    expect(workersAlive()).toBe(before);
  }, 120_000);

  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'firelight-loader-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are made ahead, but not further than told', async () => {
    const log = join(folder, 'log');
    const options = { workers: 2, prefetch: 3, batchSize: 2 };
    const source = batches(new Numbers(100, log), options);
    const iterator = source[Symbol.asyncIterator]();
    for (let taken = 1; taken <= 4; taken++) {
      await iterator.next();
      // The batches that were taken and three more, two samples each; and no more after a while.
      const expected = 2 * (taken + 3);
      await vi.waitUntil(() => Numbers.countIn(log) >= expected, { timeout: 20_000 });
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(Numbers.countIn(log)).toBe(expected);
    }
    await iterator.return?.(undefined);
  }, 120_000);

  test('report an error with file and index, after the batches before it', async () => {
    for (const workers of [0, 2]) {
      const source = batches(new Broken(20, 13), { workers, batchSize: 4 });
      const seen: number[] = [];
      const loop = async () => {
        for await (const { label } of source) seen.push(...(label.data as Int32Array));
      };
      await expect(loop()).rejects.toThrow('batches: image 13 (file-13.png): it is damaged');
      await expect(loop()).rejects.toThrow(expect.objectContaining({ name: 'DataError' }));
      expect(seen.slice(0, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }
  }, 120_000);

  test('report a thread that dies, when its batch is due', async () => {
    const before = workersAlive();
    const source = batches(new Broken(20, 9, 'exit'), { workers: 1, batchSize: 2, prefetch: 5 });
    const loop = async () => {
      for await (const _ of source) {
        await vi.waitUntil(() => workersAlive() === before, { timeout: 20_000 });
        // Time in which a rejection that nothing handles would come up.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    await expect(loop()).rejects.toThrow(/a worker thread failed: it ended with code 7/);
  }, 120_000);

  test('need recipes', async () => {
    const none = cifar({ workers: 1, transform: (image) => image });
    await expect(contents(none)).rejects.toThrow(
      /worker threads cannot make 'function transform', since it has no recipe.*workers: 0/,
    );
    const unknown = {
      length: 1,
      get: () => ({}) as never,
      recipe: () => ({ name: 'None', args: [] }),
    };
    await expect(contents(batches(unknown, { workers: 1 }))).rejects.toThrow(
      /a recipe asks for 'None' of @firelight\/data, which has none/,
    );
    expect(() => batches(unknown, { workers: -1 })).toThrow(
      /workers must be an integer ≥ 0, got -1/,
    );
    expect(() => batches(unknown, { workers: 1, prefetch: 0 })).toThrow(
      /prefetch must be an integer ≥ 1/,
    );
  }, 120_000);

  test('use the same memory again and again', async () => {
    const source = cifar({
      workers: 2,
      repeat: 60,
      transform: new Compose([new Resize([96, 96]), new HWC2CHW()]),
    });
    let most = 0;
    let first = 0;
    let taken = 0;
    for await (const _ of source) {
      if (++taken % 10 !== 0) continue;
      const { arrayBuffers, external } = process.memoryUsage();
      most = Math.max(most, arrayBuffers + external);
      if (taken === 30) first = most;
    }
    expect(taken).toBe(300);
    // 300 batches of 1.8 MB went by. What is let go of is collected now and then.
    expect(most - first).toBeLessThan(250e6);
  }, 120_000);
});
