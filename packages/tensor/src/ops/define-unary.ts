import { defineOp } from '../autograd/define-op.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { defineKernel, type KernelVersions } from '../backend/define-kernel.ts';
import type { FunctionBuilder } from '../backend/wasm/assembler/function.ts';
import type { Local } from '../backend/wasm/assembler/parameters.ts';
import { type Floats, splat } from '../backend/wasm/assembler/vectors.ts';
import { chunks, forVectors } from '../backend/wasm/kernels/loops/flat-arrays.ts';
import { inFrame } from '../backend/wasm/runtime/frame.ts';
import { defineTask } from '../backend/wasm/runtime/task.ts';
import { newTypedArray } from '../core/dtype.ts';
import { NdArray } from '../core/ndarray.ts';
import { mul } from './arithmetic.ts';
import { composed, tensorOf } from './traced-array.ts';

/** Up to three numbers that a function has beside x, such as the slope of `elu`. */
type Parameters = readonly number[];

/** The same two functions on float32 lanes; each leaves its result in its first variable. */
interface UnaryOfLanes {
  readonly f: (f: FunctionBuilder, x: Local<Floats>, parameters: readonly Floats[]) => void;
  readonly gradient: (
    f: FunctionBuilder,
    saved: Local<Floats>,
    g: Floats,
    parameters: readonly Floats[],
  ) => void;
}

/** An operation of two tensors and the parameters. */
type GradOp = (inputs: readonly [Tensor, Tensor], parameters: Parameters) => Tensor;

/** A function of each element alone. */
export interface UnaryDefinition {
  /** What f′ is computed from, and so all that is kept for it. */
  readonly from: 'input' | 'output';
  /** y = f(x) */
  readonly f: (x: number, ...parameters: Parameters) => number;
  /** g · f′, from x or y as `from` says; where f′ is 0 or 1 by a case, g is taken or left. */
  readonly gradient: (saved: number, g: number, ...parameters: Parameters) => number;
  /**
   * The derivative of f′ by what it is computed from (f″ if that is the input), for gradients of
   * gradients; 'zero' where f′ is constant but for jumps.
   */
  readonly curvature: 'zero' | ((saved: Tensor, ...parameters: Parameters) => Tensor | number);
  /** Left out where no network would feel it: then wasm's calls go to plain loops. */
  readonly lanes?: UnaryOfLanes;
}

type Forward = (x: NdArray, parameters: Parameters) => NdArray;
type Backward = (saved: NdArray, g: NdArray, parameters: Parameters) => NdArray;

const fieldsOf = ([p = 0, q = 0, r = 0]: Parameters) => ({ p, q, r });
const PARAMETER_FIELDS = { p: 'f32', q: 'f32', r: 'f32' } as const;

function forwardOnLanes(name: string, apply: UnaryOfLanes['f']): Forward {
  const task = defineTask(
    name,
    { x: 'address', y: 'address', count: 'i32', parameters: PARAMETER_FIELDS },
    (f, { x, y, count, parameters: { p, q, r } }, { index }) => {
      const parameters = [p, q, r].map((value) => f.f32x4(splat(value)));
      const value = f.floats();
      forVectors(f, count, index, [x, y], () => {
        value.set(f.load(x));
        apply(f, value, parameters);
        f.store(y, value);
      });
    },
  );
  return (x, parameters) =>
    inFrame((frame) => {
      const y = frame.output(x.shape);
      const count = x.size;
      const fields = { x: frame.input(x), y: y.address, count, parameters: fieldsOf(parameters) };
      frame.run(task, chunks(count), fields);
      return y.array;
    });
}

function backwardOnLanes(name: string, apply: UnaryOfLanes['gradient']): Backward {
  const task = defineTask(
    name,
    {
      saved: 'address',
      gradOut: 'address',
      gradIn: 'address',
      count: 'i32',
      parameters: PARAMETER_FIELDS,
    },
    (f, { saved, gradOut, gradIn, count, parameters: { p, q, r } }, { index }) => {
      const parameters = [p, q, r].map((value) => f.f32x4(splat(value)));
      const value = f.floats();
      const gradient = f.floats();
      forVectors(f, count, index, [saved, gradOut, gradIn], () => {
        value.set(f.load(saved));
        gradient.set(f.load(gradOut));
        apply(f, value, gradient, parameters);
        f.store(gradIn, value);
      });
    },
  );
  return (saved, g, parameters) =>
    inFrame((frame) => {
      const gradIn = frame.output(saved.shape);
      frame.run(task, chunks(saved.size), {
        saved: frame.input(saved),
        gradOut: frame.input(g),
        gradIn: gradIn.address,
        count: saved.size,
        parameters: fieldsOf(parameters),
      });
      return gradIn.array;
    });
}

/** Each element of an array, and of another of its shape if the function takes two. */
function mapped(
  arrays: readonly [NdArray, ...NdArray[]],
  f: (a: number, b: number) => number,
): NdArray {
  const [{ shape, dtype }] = arrays;
  const [a, b] = [arrays[0].data, arrays[arrays.length - 1].data];
  const out = newTypedArray(dtype, a.length);
  for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i]);
  return NdArray.fromTypedArray(out, shape, dtype);
}

/**
 * Makes an operation from a function of each element alone, with its kernels beside it.
 *
 * @returns takes x and the parameters of `f`
 */
export function defineUnary(
  name: string,
  definition: UnaryDefinition,
): (x: Tensor, ...parameters: Parameters) => Tensor {
  const { from, f, gradient, curvature, lanes } = definition;
  const forwards: KernelVersions<Forward> = {
    reference: (x, parameters) => mapped([x], (value) => f(value, ...parameters)),
    ...(lanes && { wasm: forwardOnLanes(name, lanes.f) }),
  };
  const backwards: KernelVersions<Backward> = {
    reference: (saved, g, parameters) =>
      mapped([saved, g], (value, slope) => gradient(value, slope, ...parameters)),
    ...(lanes && { wasm: backwardOnLanes(`${name}Grad`, lanes.gradient) }),
  };
  const forward = defineKernel(forwards);
  const backward = defineKernel(backwards);

  /** g · f′ as an operation of what f′ is computed from, and g. */
  const gradOp: GradOp = defineOp<
    [NdArray, NdArray],
    Parameters,
    { kept: NdArray; g: NdArray; parameters: Parameters }
  >(`${name}Grad`, {
    forward: ([kept, g], parameters) => ({
      y: backward(kept, g, parameters),
      saved: { kept, g, parameters },
    }),
    backward(gradOut, { kept, g, parameters }, [needsKept, needsG]) {
      const product = () => mul(tensorOf(gradOut), tensorOf(g));
      return [
        needsKept && curvature !== 'zero'
          ? composed(() => mul(product(), curvature(tensorOf(kept), ...parameters)))
          : null,
        needsG ? composed(() => gradOp([tensorOf(kept), tensorOf(gradOut)], parameters)) : null,
      ];
    },
  });

  const op = defineOp<[NdArray], Parameters, { kept: NdArray; parameters: Parameters }>(name, {
    forward([x], parameters) {
      const y = forward(x, parameters);
      return { y, saved: { kept: from === 'input' ? x : y, parameters } };
    },
    backward: (gradOut, { kept, parameters }) => [
      composed(() => gradOp([tensorOf(kept), tensorOf(gradOut)], parameters)),
    ],
  });
  return (x, ...parameters) => op([x], parameters);
}
