import { grad, mul, sum, type Tensor, tensor } from '@firelight/tensor';
import { POINTWISE_FUNCTIONS } from '../pointwise-functions.ts';
import { WITH_OWN_KERNELS } from '../unary-functions.ts';
import type { OpCase } from './op-case.ts';

/** A gradient as an operation: its inputs are those of the operation, and the output's gradient. */
function gradientOf({ calls }: OpCase, op: string, by: number): OpCase {
  return {
    op,
    calls: calls.map(({ inputs, run }) => {
      const { shape, size } = run(...inputs);
      const gradOut = tensor(
        Float64Array.from({ length: size }, (_, i) => Math.sin(i + 1)),
        { shape },
      );
      return {
        inputs: [...inputs, gradOut],
        run: (...all: Tensor[]) => {
          const operands = all.slice(0, -1);
          const output = (x: Tensor): Tensor => run(...operands.with(by, x));
          return grad((x: Tensor) => sum(mul(output(x), all[all.length - 1])))(operands[by]);
        },
      };
    }),
  };
}

/** The operations that only gradients of gradients use, by those whose gradients they are. */
export function adjointCases(cases: readonly OpCase[]): OpCase[] {
  const first = (name: string): OpCase => {
    const found = cases.find(({ op }) => op === name);
    if (found === undefined) throw new Error(`there is no case for ${name}`);
    return found;
  };
  // All of them but `square`, whose gradient is made of products.
  const pointwise = Object.keys(POINTWISE_FUNCTIONS).filter((name) => name !== 'square');
  return [
    ...[...pointwise, ...WITH_OWN_KERNELS].map((name) => gradientOf(first(name), `${name}Grad`, 0)),
    gradientOf(first('log'), 'unaryGrad', 0),
    gradientOf(first('mul'), 'identity', 0),
    gradientOf(first('slice'), 'sliceGrad', 0),
    gradientOf(first('gather'), 'gatherGrad', 0),
    gradientOf(first('maxUnpool2d'), 'maxUnpool2dGrad', 0),
    gradientOf(first('avgPool2d'), 'avgPool2dGrad', 0),
    gradientOf(first('conv2d'), 'conv2dInputGrad', 0),
    gradientOf(first('conv2d'), 'conv2dWeightGrad', 1),
  ];
}
