import type { NdArray } from '../../../../core/ndarray.ts';
import { broadcastShapes } from '../../../../core/shape.ts';
import type { BinaryOp, Kernels } from '../../../contract.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadSplat } from '../../assembler/loads.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { Floats } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { chunks, forVectors } from '../loops/flat-arrays.ts';
import { expanded } from './operands.ts';

/** Of each pair of lanes. */
type Apply = (a: Floats, b: Floats, f: FunctionBuilder) => Floats;

/** y = f(a, b) of each pair of elements. */
export function defineBinary(name: string, apply: Apply) {
  return defineTask(
    name,
    {
      a: 'address',
      b: 'address',
      y: 'address',
      count: 'i32',
      aIsScalar: 'flag',
      bIsScalar: 'flag',
    },
    (f, { a, b, y, count, aIsScalar, bIsScalar }, { index }) => {
      const scalar = f.f32x4();
      // A loop for each case: V8 packs only what is computed without branches.
      const loop = (left: Floats, right: Floats, arrays: readonly Local<I32>[]): void =>
        forVectors(f, count, index, [...arrays, y], () => f.store(y, apply(left, right, f)));
      f.if(
        aIsScalar,
        () => {
          scalar.set(loadSplat(a));
          loop(scalar, f.load(b), [b]);
        },
        () =>
          f.if(
            bIsScalar,
            () => {
              scalar.set(loadSplat(b));
              loop(f.load(a), scalar, [a]);
            },
            () => loop(f.load(a), f.load(b), [a, b]),
          ),
      );
    },
  );
}

type Task = ReturnType<typeof defineBinary>;

const tasks: Readonly<Record<BinaryOp, Task>> = {
  add: defineBinary('add', (a, b) => a.plus(b)),
  sub: defineBinary('sub', (a, b) => a.minus(b)),
  mul: defineBinary('mul', (a, b) => a.times(b)),
  div: defineBinary('div', (a, b) => a.dividedBy(b)),
  maximum: defineBinary('maximum', (a, b) => a.max(b)),
  minimum: defineBinary('minimum', (a, b) => a.min(b)),
};

/** Runs a task on two arrays of one shape, or single elements. */
export function runBinary(task: Task, a: NdArray, b: NdArray): NdArray {
  return inFrame((frame) => {
    const shape = broadcastShapes(a.shape, b.shape) as number[]; // The op checked that they do.
    const y = frame.output(shape);
    const count = y.array.size;
    frame.run(task, chunks(count), {
      a: expanded(frame, a, shape),
      b: expanded(frame, b, shape),
      y: y.address,
      count,
      aIsScalar: a.size === 1,
      bIsScalar: b.size === 1,
    });
    return y.array;
  });
}

export const binaryFunctions: Pick<Kernels, 'binary'> = {
  binary: (op, a, b) => runBinary(tasks[op], a, b),
};
