import { ELEMENT_CODES } from '../element-codes.ts';
import type { Exporter } from '../export-call.ts';

/** An operation that is one operator, with nothing besides its operands. */
const as =
  (operator: string): Exporter =>
  (c) =>
    c.node(operator, c.all());

/** Parameters of a function of each element. */
type Parameters = readonly number[];

/** x · Φ(x) = x/2 · (1 + erf(x / √2)) */
const gelu: Exporter = (c) => {
  const scaled = c.node('Div', [c.x(), c.number(Math.SQRT2)]);
  const sum = c.node('Add', [c.node('Erf', [scaled]), c.number(1)]);
  return c.node('Mul', [c.node('Mul', [c.x(), sum]), c.number(0.5)]);
};

/** x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) */
const geluTanh: Exporter = (c) => {
  const square = c.node('Mul', [c.x(), c.x()]);
  const factor = c.node('Add', [c.node('Mul', [square, c.number(0.044715)]), c.number(1)]);
  const inner = c.node('Mul', [c.node('Mul', [c.x(), factor]), c.number(Math.sqrt(2 / Math.PI))]);
  const sum = c.node('Add', [c.node('Tanh', [inner]), c.number(1)]);
  return c.node('Mul', [c.node('Mul', [c.x(), sum]), c.number(0.5)]);
};

const clip: Exporter = (c) => {
  const [low, high] = c.attributes<Parameters>();
  // Operators of this age take no infinity for a bound that is not there.
  const bound = (value: number): string => (Number.isFinite(value) ? c.number(value) : '');
  const inputs = [c.x(), bound(low), bound(high)];
  return c.node('Clip', inputs[2] === '' ? inputs.slice(0, 2) : inputs);
};

/** Operations on single elements. */
export const ELEMENTWISE: Readonly<Record<string, Exporter>> = {
  abs: as('Abs'),
  acos: as('Acos'),
  acosh: as('Acosh'),
  add: as('Add'),
  asin: as('Asin'),
  asinh: as('Asinh'),
  atan: as('Atan'),
  atanh: as('Atanh'),
  cast: (c) => c.node('Cast', [c.x()], { attributes: { to: ELEMENT_CODES[c.dtype] } }),
  ceil: as('Ceil'),
  celu: (c) => {
    const [, alpha] = c.attributes<Parameters>();
    return c.node('Celu', [c.x()], { attributes: { alpha: { float: alpha } } });
  },
  clip,
  cos: as('Cos'),
  cosh: as('Cosh'),
  div: as('Div'),
  elu: (c) => {
    const [, alpha] = c.attributes<Parameters>();
    return c.node('Elu', [c.x()], { attributes: { alpha: { float: alpha } } });
  },
  equal: as('Equal'),
  erf: as('Erf'),
  exp: as('Exp'),
  expm1: (c) => c.node('Sub', [c.node('Exp', [c.x()]), c.number(1)]),
  floor: as('Floor'),
  gelu,
  geluTanh,
  greater: as('Greater'),
  greaterEqual: as('GreaterOrEqual'),
  hardSigmoid: (c) => {
    const [alpha, shift, beta] = c.attributes<Parameters>();
    const attributes = { alpha: { float: alpha }, beta: { float: alpha * shift + beta } };
    return c.node('HardSigmoid', [c.x()], { attributes });
  },
  hardSwish: as('HardSwish'),
  leakyRelu: (c) => {
    const { alpha } = c.attributes<{ readonly alpha: number }>();
    return c.node('LeakyRelu', [c.x()], { attributes: { alpha: { float: alpha } } });
  },
  less: as('Less'),
  lessEqual: as('LessOrEqual'),
  log: as('Log'),
  log1p: (c) => c.node('Log', [c.node('Add', [c.x(), c.number(1)])]),
  maximum: as('Max'),
  minimum: as('Min'),
  mish: (c) => c.node('Mul', [c.x(), c.node('Tanh', [c.node('Softplus', [c.x()])])]),
  mul: as('Mul'),
  neg: as('Neg'),
  notEqual: (c) => c.node('Not', [c.node('Equal', c.all())]),
  pow: as('Pow'),
  reciprocal: as('Reciprocal'),
  relu: as('Relu'),
  relu6: (c) => c.node('Clip', [c.x(), c.number(0), c.number(6)]),
  round: as('Round'),
  rsqrt: (c) => c.node('Reciprocal', [c.node('Sqrt', [c.x()])]),
  selu: (c) => {
    const [scale, alpha] = c.attributes<Parameters>();
    const attributes = { alpha: { float: alpha }, gamma: { float: scale } };
    return c.node('Selu', [c.x()], { attributes });
  },
  sigmoid: as('Sigmoid'),
  sign: as('Sign'),
  silu: (c) => c.node('Mul', [c.x(), c.node('Sigmoid', [c.x()])]),
  sin: as('Sin'),
  sinh: as('Sinh'),
  softplus: as('Softplus'),
  softsign: as('Softsign'),
  sqrt: as('Sqrt'),
  square: (c) => c.node('Mul', [c.x(), c.x()]),
  sub: as('Sub'),
  tan: as('Tan'),
  tanh: as('Tanh'),
  where: as('Where'),
};
