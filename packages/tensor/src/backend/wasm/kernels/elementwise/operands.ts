import { ARRAY_TYPES } from '../../../../core/dtype.ts';
import type { NdArray } from '../../../../core/ndarray.ts';
import { broadcastStrides, elementCount, type Shape, sameShape } from '../../../../core/shape.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { Vector } from '../../assembler/vector.ts';
import type { Address } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import type { ElementBytes, ElementType } from '../lanes/element-types.ts';
import type { FlatArray } from '../loops/flat-arrays.ts';
import { copyStrided } from '../movement/copy-strided.ts';

/** The operand with the shape of the result. */
export function stretched(frame: Frame, x: NdArray, shape: Shape): Address {
  const address = frame.input(x);
  if (sameShape(x.shape, shape)) return address;
  const bytes = ARRAY_TYPES[x.dtype].BYTES_PER_ELEMENT as ElementBytes; // Others are declined.
  const target = frame.temporary(elementCount(shape) * bytes);
  const source = { address, strides: broadcastStrides(x.shape, shape) };
  copyStrided(frame, shape, { source, target: { address: target } }, bytes);
  return target;
}

/** The operand with the shape of the result; a single element is left as it is. */
export function expanded(frame: Frame, x: NdArray, shape: Shape): Address {
  return x.size === 1 ? frame.input(x) : stretched(frame, x, shape);
}

/** Fields of a task for an operand that may be a single element. */
export const OPERAND = { address: 'address', isScalar: 'flag' } as const;

/** Values of those fields. */
export function operandOf(frame: Frame, x: NdArray, shape: Shape) {
  return { address: expanded(frame, x, shape), isScalar: x.size === 1 };
}

/** An operand in the code of a task. */
interface Operand<Lanes extends Vector> {
  readonly address: Local<I32>;
  readonly isScalar: I32;
  readonly type: ElementType<Lanes>;
}

/** Reads the lanes of an operand, inside of a loop. */
type Read<Lanes extends Vector> = () => Lanes;

/**
 * Writes a loop for each case of two operands that are arrays or single elements: V8 packs only what is
 * computed without branches.
 *
 * @param loop is given what reads both, and those that are arrays
 */
export function forCases<Lanes extends Vector>(
  f: FunctionBuilder,
  [a, b]: readonly [Operand<Lanes>, Operand<Lanes>],
  loop: (readA: Read<Lanes>, readB: Read<Lanes>, arrays: readonly FlatArray[]) => void,
): void {
  const arrayOf = ({ address, type }: Operand<Lanes>): FlatArray => ({
    address,
    bytes: type.bytes,
  });
  const reader =
    ({ address, type }: Operand<Lanes>): Read<Lanes> =>
    () =>
      type.load(f, address);
  const scalar = ({ address, type }: Operand<Lanes>): Read<Lanes> => {
    const lanes = type.splat(f, address);
    return () => lanes;
  };
  f.if(
    a.isScalar,
    () =>
      f.if(
        b.isScalar,
        () => loop(scalar(a), scalar(b), []),
        () => loop(scalar(a), reader(b), [arrayOf(b)]),
      ),
    () =>
      f.if(
        b.isScalar,
        () => loop(reader(a), scalar(b), [arrayOf(a)]),
        () => loop(reader(a), reader(b), [arrayOf(a), arrayOf(b)]),
      ),
  );
}
