import type { DType } from '../../../../core/dtype.ts';
import type { NdArray } from '../../../../core/ndarray.ts';
import { broadcastShapes } from '../../../../core/shape.ts';
import type { CompareOp, Kernels } from '../../../contract.ts';
import type { Declined } from '../../../declined.ts';
import type { Vector } from '../../assembler/vector.ts';
import { type Floats, type Ints, splatInt } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { BYTES, type ElementType, FLOATS, INTS, LANES } from '../lanes/element-types.ts';
import { chunks, forElements } from '../loops/flat-arrays.ts';
import { forCases, OPERAND, operandOf } from './operands.ts';

/** A mask of lanes. */
type Comparison<Lanes extends Vector> = (a: Lanes, b: Lanes) => Ints;

const OF_FLOATS: Readonly<Record<CompareOp, Comparison<Floats>>> = {
  equal: (a, b) => a.equals(b),
  notEqual: (a, b) => a.notEquals(b),
  greater: (a, b) => a.greaterThan(b),
  greaterEqual: (a, b) => a.atLeast(b),
  less: (a, b) => a.lessThan(b),
  lessEqual: (a, b) => a.atMost(b),
};

const not = (mask: Ints): Ints => mask.xor(splatInt(-1));

const OF_INTS: Readonly<Record<CompareOp, Comparison<Ints>>> = {
  equal: (a, b) => a.equals(b),
  notEqual: (a, b) => not(a.equals(b)),
  greater: (a, b) => b.lessThan(a),
  greaterEqual: (a, b) => not(a.lessThan(b)),
  less: (a, b) => a.lessThan(b),
  lessEqual: (a, b) => not(b.lessThan(a)),
};

function defineComparison<Lanes extends Vector>(
  name: string,
  type: ElementType<Lanes>,
  compare: Comparison<Lanes>,
) {
  return defineTask(
    name,
    { a: OPERAND, b: OPERAND, y: 'address', count: 'i32' },
    (f, { a, b, y, count }, { index }) => {
      const one = f.constants.splatInt(1);
      forCases(
        f,
        [
          { ...a, type },
          { ...b, type },
        ],
        (readA, readB, arrays) =>
          forElements(f, count, index, LANES, [...arrays, { address: y, bytes: 1 }], () =>
            BYTES.store(f, y, compare(readA(), readB()).and(one)),
          ),
      );
    },
  );
}

type Task = ReturnType<typeof defineComparison>;

function defineComparisons<Lanes extends Vector>(
  dtype: string,
  type: ElementType<Lanes>,
  comparisons: Readonly<Record<CompareOp, Comparison<Lanes>>>,
): Readonly<Record<CompareOp, Task>> {
  const tasks = Object.entries(comparisons).map(
    ([op, compare]) => [op, defineComparison(`${op} of ${dtype}`, type, compare)] as const,
  );
  return Object.fromEntries(tasks) as Record<CompareOp, Task>; // The same keys.
}

const ofBytes = defineComparisons('bytes', BYTES, OF_INTS);

const TASKS: { readonly [D in DType]?: Readonly<Record<CompareOp, Task>> } = {
  float32: defineComparisons('float32', FLOATS, OF_FLOATS),
  int32: defineComparisons('int32', INTS, OF_INTS),
  uint8: ofBytes,
  bool: ofBytes,
};

const tasksFor = (a: NdArray, b: NdArray): Readonly<Record<CompareOp, Task>> | undefined =>
  TASKS[a.dtype] === TASKS[b.dtype] ? TASKS[a.dtype] : undefined;

export const OTHER_COMPARISONS: Declined<Parameters<Kernels['compare']>> = {
  calls: 'other dtypes than float32, int32, uint8 and bool, or unlike ones',
  include: (_, a, b) => tasksFor(a, b) === undefined,
};

export const comparisons: Pick<Kernels, 'compare'> = {
  compare: (op, a, b) =>
    inFrame((frame) => {
      const shape = broadcastShapes(a.shape, b.shape) as number[]; // The op checked that they do.
      const y = frame.output(shape, 'bool');
      const count = y.array.size;
      const tasks = tasksFor(a, b) as Readonly<Record<CompareOp, Task>>; // Others were declined.
      frame.run(tasks[op], chunks(count), {
        a: operandOf(frame, a, shape),
        b: operandOf(frame, b, shape),
        y: y.address,
        count,
      });
      return y.array;
    }),
};
