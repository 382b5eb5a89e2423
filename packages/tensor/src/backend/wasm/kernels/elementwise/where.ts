import { ARRAY_TYPES } from '../../../../core/dtype.ts';
import type { NdArray } from '../../../../core/ndarray.ts';
import { broadcastShapes } from '../../../../core/shape.ts';
import type { Kernels } from '../../../contract.ts';
import type { Declined } from '../../../declined.ts';
import { type Bytes, loadBytes } from '../../assembler/bytes.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { Vector } from '../../assembler/vector.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { BYTES, type ElementType, FLOATS, LANES, MOVED_BYTES } from '../lanes/element-types.ts';
import { chunks, forElements } from '../loops/flat-arrays.ts';
import { forCases, OPERAND, operandOf, stretched } from './operands.ts';

/** Lanes of `a` where the condition is not 0, of `b` elsewhere. */
type Choice<Lanes extends Vector> = (
  f: FunctionBuilder,
  condition: I32,
  a: Lanes,
  b: Lanes,
) => Lanes;

const chooseFloats: Choice<Floats> = (f, condition, a, b) =>
  BYTES.load(f, condition).equals(f.constants.splatInt(0)).select(b, a);

const chooseBytes: Choice<Bytes> = (f, condition, a, b) =>
  loadBytes(condition).equals(f.bytes()).select(b, a);

function defineWhere<Lanes extends Vector>(
  name: string,
  type: ElementType<Lanes>,
  choose: Choice<Lanes>,
) {
  return defineTask(
    name,
    { condition: 'address', a: OPERAND, b: OPERAND, y: 'address', count: 'i32' },
    (f, { condition, a, b, y, count }, { index }) => {
      forCases(
        f,
        [
          { ...a, type },
          { ...b, type },
        ],
        (readA, readB, arrays) => {
          const all = [
            ...arrays,
            { address: condition, bytes: 1 as const },
            { address: y, bytes: type.bytes },
          ];
          forElements(f, count, index, LANES, all, () =>
            type.store(f, y, choose(f, condition, readA(), readB())),
          );
        },
      );
    },
  );
}

/** By the bytes of an element: what is chosen is only moved. */
const TASKS: Readonly<Record<number, ReturnType<typeof defineWhere> | undefined>> = {
  1: defineWhere('where of bytes', MOVED_BYTES, chooseBytes),
  4: defineWhere('where', FLOATS, chooseFloats),
};

const taskFor = ({ dtype }: NdArray) => TASKS[ARRAY_TYPES[dtype].BYTES_PER_ELEMENT];

export const OTHER_CHOICES: Declined<Parameters<Kernels['where']>> = {
  calls: 'elements of two or eight bytes',
  include: (_, a) => taskFor(a) === undefined,
};

export const choice: Pick<Kernels, 'where'> = {
  where: (condition, a, b) =>
    inFrame((frame) => {
      // The op checked that they broadcast.
      const values = broadcastShapes(a.shape, b.shape) as number[];
      const shape = broadcastShapes(condition.shape, values) as number[];
      const y = frame.output(shape, a.dtype);
      const count = y.array.size;
      const task = taskFor(a) as NonNullable<ReturnType<typeof taskFor>>; // Others were declined.
      frame.run(task, chunks(count), {
        condition: stretched(frame, condition, shape),
        a: operandOf(frame, a, shape),
        b: operandOf(frame, b, shape),
        y: y.address,
        count,
      });
      return y.array;
    }),
};
