import type { DType } from '../../../../core/dtype.ts';
import { isInMemoryScope } from '../../../../core/memory.ts';
import { HostSource } from '../../../../core/storage-source.ts';
import type { Kernels } from '../../../contract.ts';
import type { Declined, DeclinedCalls } from '../../../declined.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { roundedToEven } from '../../assembler/rounding.ts';
import type { Vector } from '../../assembler/vector.ts';
import type { Floats, Ints } from '../../assembler/vectors.ts';
import { inFrame } from '../../runtime/frame.ts';
import { defineTask } from '../../runtime/task.ts';
import { BYTES, type ElementType, FLOATS, INTS, LANES } from '../lanes/element-types.ts';
import { chunks, forElements } from '../loops/flat-arrays.ts';

/** The lanes of one dtype made of those of another. */
type Conversion<From extends Vector, To extends Vector> = (f: FunctionBuilder, x: From) => To;

/** Whole numbers modulo 2³²; 0 for NaN and infinities. */
function wrapped(f: FunctionBuilder, x: Floats): Ints {
  const { splat } = f.constants;
  const rest = f.floatsLike(x, x);
  // Exact, as what is subtracted is a multiple of the last place of x, and so is what is left.
  rest.set(rest.minus(roundedToEven(rest.times(splat(2 ** -32))).times(splat(2 ** 32))));
  // A half of 2³² may be left on either side, of which int32 holds the negative one.
  return rest
    .equals(splat(2 ** 31))
    .select(splat(-(2 ** 31)), rest)
    .toInts();
}

function defineCast<From extends Vector, To extends Vector>(
  name: string,
  from: ElementType<From>,
  to: ElementType<To>,
  convert: Conversion<From, To>,
) {
  return defineTask(name, { x: 'address', y: 'address', count: 'i32' }, (f, p, { index }) => {
    const arrays = [
      { address: p.x, bytes: from.bytes },
      { address: p.y, bytes: to.bytes },
    ];
    forElements(f, p.count, index, LANES, arrays, () =>
      to.store(f, p.y, convert(f, from.load(f, p.x))),
    );
  });
}

type Task = ReturnType<typeof defineCast>;

/** Dtypes that are cast on lanes. */
type CastDType = 'float32' | 'int32' | 'uint8' | 'bool';

function castsFromInts(dtype: string, from: ElementType<Ints>): Readonly<Record<CastDType, Task>> {
  const define = <To extends Vector>(
    to: CastDType,
    type: ElementType<To>,
    convert: Conversion<Ints, To>,
  ): Task => defineCast(`${dtype} to ${to}`, from, type, convert);
  return {
    float32: define('float32', FLOATS, (_, x) => x.toFloats()),
    int32: define('int32', INTS, (_, x) => x),
    uint8: define('uint8', BYTES, (_, x) => x),
    bool: define('bool', BYTES, (f, x) => {
      const { splatInt } = f.constants;
      return x.equals(splatInt(0)).plus(splatInt(1)); // All bits of a mask are −1.
    }),
  };
}

const FROM_FLOATS: Readonly<Record<CastDType, Task>> = {
  float32: defineCast('float32 to float32', FLOATS, FLOATS, (_, x) => x),
  int32: defineCast('float32 to int32', FLOATS, INTS, wrapped),
  uint8: defineCast('float32 to uint8', FLOATS, BYTES, wrapped),
  bool: defineCast('float32 to bool', FLOATS, BYTES, (f, x) =>
    x.notEquals(f.constants.splat(0)).and(f.constants.splatInt(1)),
  ),
};

const FROM_BYTES = castsFromInts('bytes', BYTES);

const TASKS: Readonly<Record<CastDType, Readonly<Record<CastDType, Task>>>> = {
  float32: FROM_FLOATS,
  int32: castsFromInts('int32', INTS),
  uint8: FROM_BYTES,
  bool: FROM_BYTES,
};

function taskFor(from: DType, to: DType): Task | undefined {
  const tasks: { readonly [From in DType]?: { readonly [To in DType]?: Task } } = TASKS;
  return tasks[from]?.[to];
}

export const OTHER_CASTS: Declined<Parameters<Kernels['cast']>> = {
  calls: 'other dtypes than float32, int32, uint8 and bool',
  include: (x, dtype) => taskFor(x.dtype, dtype) === undefined,
};

export const declinedCasts: DeclinedCalls = {
  cast: [
    {
      // Their elements would be copied to the memory of WebAssembly and back, which takes as long.
      calls: 'arrays in main memory outside of tidy',
      include: (x) => x.storage.source instanceof HostSource && !isInMemoryScope(),
    },
  ],
};

export const casts: Pick<Kernels, 'cast'> = {
  cast: (x, dtype) =>
    inFrame((frame) => {
      const y = frame.output(x.shape, dtype);
      const task = taskFor(x.dtype, dtype) as Task; // Others were declined.
      const values = { x: frame.input(x), y: y.address, count: x.size };
      frame.run(task, chunks(x.size), values);
      return y.array;
    }),
};
