import type { Kernels } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import { transposed4 } from '../../assembler/transpose.ts';
import { type Ints, splat, splatInt } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';

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
  const low = f.intsLike(lanes, lanes.wideProductLow(factors));
  const high = f.intsLike(lanes, lanes.wideProductHigh(factors));
  return {
    low: f.intsLike(low, low.shuffle(high, [0, 2, 4, 6])),
    high: f.intsLike(low, low.shuffle(high, [1, 3, 5, 7])),
  };
}

/** Adds to a counter of four words, in all lanes at once, carries included. */
function advanced(f: FunctionBuilder, words: readonly Local<Ints>[], steps: Ints): void {
  const carry = f.intsLike(steps, steps);
  for (const word of words) {
    word.set(word.plus(carry));
    carry.set(word.lessThanUnsigned(carry).and(f.constants.splatInt(1)));
  }
}

const dropoutTask = defineTask(
  'dropout',
  {
    x: 'address',
    y: 'address',
    count: 'i32',
    key: { 0: 'i32', 1: 'i32' },
    counter: { 0: 'i32', 1: 'i32', 2: 'i32', 3: 'i32' },
    threshold: 'i32',
    scale: 'f32',
  },
  (f, p, { index }) => {
    const words = Array.from({ length: 4 }, () => f.ints());
    const scale = f.f32x4(splat(p.scale));
    const threshold = f.i32x4(splatInt(p.threshold));
    const numbers = blockNumbers(f);
    const parts = f.lanes / 4;
    const step = f.ints();
    const key0 = f.i32();
    const key1 = f.i32();
    const halves = f.floatsOf(4);
    const lines = f.floatsOf(4);
    const from = f.i32();
    const to = f.i32();
    const firstBlock = f.i32(index.times(BLOCKS));
    const endBlock = f.i32(p.count.plus(3).dividedBy(4));
    const partEnd = f.i32(firstBlock.plus(BLOCKS));
    endBlock.set(endBlock.min(partEnd));
    f.for(firstBlock, endBlock, f.lanes, (block) => {
      Object.values(p.counter).forEach((counter, i) => {
        words[i].set(splatInt(counter));
      });
      step.set(splatInt(block).plus(numbers));
      advanced(f, words, step);
      key0.set(p.key[0]);
      key1.set(p.key[1]);
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
      // Word w of a block belongs to its element w: transposed, each part of a line is one block, and
      // parts are neighbours.
      const vectors = words.map((word) => word.bits());
      transposed4(vectors, halves).forEach((line, i) => {
        lines[i].set(line);
      });
      from.set(p.x.plus(block.times(16)));
      to.set(p.y.plus(block.times(16)));
      lines.forEach((line, i) => {
        // The last line that is needed may reach over the end, where blocks of the arena have room.
        f.if(block.plus(i * parts).lessThan(endBlock), () => {
          const isDropped = line.bits().lessThanUnsigned(threshold);
          const kept = f.load(from, i * f.lanes * 4).times(scale);
          f.store(to, isDropped.select(splat(0), kept), i * f.lanes * 4);
        });
      });
    });
  },
);

/** Which block each lane computes: 0, 1, 2, 3, or in two parts 0, 2, 4, 6 and 1, 3, 5, 7. */
function blockNumbers(f: FunctionBuilder): Ints {
  const numbers = f.ints(splatInt(0));
  const parts = f.lanes / 4;
  for (let block = 0; block < f.lanes; block++) {
    const lane = (block % parts) * 4 + Math.floor(block / parts);
    numbers.set(numbers.withLane(lane, block));
  }
  return numbers;
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
        key,
        counter,
        threshold: Math.min(2 ** 32 - 1, Math.ceil(rate * 2 ** 32)),
        scale: 1 / (1 - rate),
      });
      return y.array;
    }),
};
