import type { Kernels } from '../../kernels.ts';
import type { FunctionBuilder, Local } from '../assembler/function.ts';
import { loadF32x4 } from '../assembler/loads.ts';
import { transposed4 } from '../assembler/transpose.ts';
import { type Ints, splat, splatInt } from '../assembler/vectors.ts';
import { inFrame } from '../frame.ts';
import { defineTask } from '../task.ts';

/** Counter blocks of one part; each gives four words. */
const BLOCKS = 2048;

/** Philox's constants; see `core/random.ts`, which defines the stream. */
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
const ROUNDS = 10;

/** High and low words of the products of unsigned lanes with one number. */
function wideProduct(
  f: FunctionBuilder,
  lanes: Ints,
  factor: number,
): { high: Local<Ints>; low: Local<Ints> } {
  const factors = f.constants.splatInt(factor);
  const low = f.i32x4(lanes.wideProductLow(factors));
  const high = f.i32x4(lanes.wideProductHigh(factors));
  return {
    low: f.i32x4(low.shuffle(high, [0, 2, 4, 6])),
    high: f.i32x4(low.shuffle(high, [1, 3, 5, 7])),
  };
}

/** Adds to a counter of four words, in four lanes at once, carries included. */
function advanced(f: FunctionBuilder, words: readonly Local<Ints>[], steps: Ints): void {
  const carry = f.i32x4(steps);
  for (const word of words) {
    word.set(word.plus(carry));
    carry.set(word.lessThanUnsigned(carry).and(f.constants.splatInt(1)));
  }
}

const dropoutTask = defineTask(
  'dropout',
  {
    x: 'i32',
    y: 'i32',
    count: 'i32',
    key0: 'i32',
    key1: 'i32',
    counter0: 'i32',
    counter1: 'i32',
    counter2: 'i32',
    counter3: 'i32',
    threshold: 'i32',
    scale: 'f32',
  },
  (f, p, { index }) => {
    const words = Array.from({ length: 4 }, () => f.i32x4());
    const scale = f.f32x4(splat(p.scale));
    const threshold = f.i32x4(splatInt(p.threshold));
    const numbers = laneNumbers(f);
    const step = f.i32x4();
    const key0 = f.i32();
    const key1 = f.i32();
    const halves = f.f32x4s(4);
    const lines = f.f32x4s(4);
    const offset = f.i32();
    const firstBlock = f.i32(index.times(BLOCKS));
    const endBlock = f.i32(p.count.plus(3).dividedBy(4));
    const partEnd = f.i32(firstBlock.plus(BLOCKS));
    endBlock.set(endBlock.min(partEnd));
    f.for(firstBlock, endBlock, 4, (block) => {
      [p.counter0, p.counter1, p.counter2, p.counter3].forEach((counter, i) => {
        words[i].set(splatInt(counter));
      });
      step.set(splatInt(block).plus(numbers));
      advanced(f, words, step);
      key0.set(p.key0);
      key1.set(p.key1);
      const [c0, c1, c2, c3] = words;
      f.for(0, ROUNDS, 1, () => {
        const first = wideProduct(f, c0, MULTIPLIERS[0]);
        const second = wideProduct(f, c2, MULTIPLIERS[1]);
        c0.set(second.high.xor(c1).xor(splatInt(key0)));
        c2.set(first.high.xor(c3).xor(splatInt(key1)));
        c1.set(second.low);
        c3.set(first.low);
        key0.set(key0.plus(WEYL[0] | 0));
        key1.set(key1.plus(WEYL[1] | 0));
      });
      // Lane b of word w belongs to element 4 b + w: transposed, each vector has four neighbours.
      const vectors = words.map((word) => word.bits());
      transposed4(vectors, halves).forEach((line, i) => {
        lines[i].set(line);
      });
      offset.set(block.times(16));
      lines.forEach((line, i) => {
        // The last vectors may reach over the end by up to three blocks.
        f.if(block.plus(i).lessThan(endBlock), () => {
          const isDropped = line.bits().lessThanUnsigned(threshold);
          const kept = loadF32x4(p.x.plus(offset), i * 16).times(scale);
          f.store(p.y.plus(offset), isDropped.select(splat(0), kept), i * 16);
        });
      });
    });
  },
);

/** The numbers 0, 1, 2, 3. */
function laneNumbers(f: FunctionBuilder): Ints {
  const lanes = f.i32x4(splatInt(0));
  for (let lane = 1; lane < 4; lane++) lanes.set(lanes.withLane(lane, lane));
  return lanes;
}

export const regularization: Pick<Kernels, 'dropout'> = {
  // Element i is dropped where word i of the stream is below rate · 2³².
  dropout: (x, rate, { key, counter }) =>
    inFrame((frame) => {
      const y = frame.output(x.shape);
      frame.run(dropoutTask, Math.ceil(x.size / (4 * BLOCKS)), {
        x: frame.input(x),
        y: y.address,
        count: x.size,
        key0: key[0],
        key1: key[1],
        counter0: counter[0],
        counter1: counter[1],
        counter2: counter[2],
        counter3: counter[3],
        threshold: Math.min(2 ** 32 - 1, Math.ceil(rate * 2 ** 32)),
        scale: 1 / (1 - rate),
      });
      return y.array;
    }),
};
