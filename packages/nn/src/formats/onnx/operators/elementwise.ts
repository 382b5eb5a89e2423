import * as f from '@firelight/tensor';
import { type NodeCall, not, type Operator, type OperatorResult } from '../node-call.ts';

const isFloat = ({ dtype }: f.Tensor): boolean => dtype === 'float32' || dtype === 'float64';

/**
 * The second operand as it is. Before opset 7 it was only spread over the first where `broadcast` said so,
 * from `axis` on.
 */
function spread(c: NodeCall, x: f.Tensor, y: f.Tensor): f.Tensor {
  if (c.opset >= 7) return y;
  c.ignore('consumed_inputs');
  const isSpread = c.a('broadcast', 0) === 1;
  const behind = x.rank - c.a('axis', x.rank - y.rank) - y.rank;
  return isSpread && behind > 0
    ? f.reshape(y, [...y.shape, ...Array.from({ length: behind }, () => 1)])
    : y;
}

const binary =
  (run: (a: f.Tensor, b: f.Tensor) => f.Tensor): Operator =>
  (c) =>
    run(c.x(0), spread(c, c.x(0), c.x(1)));

/** Quotients; those of integers are whole, rounded towards 0. */
function quotient(a: f.Tensor, b: f.Tensor): f.Tensor {
  if (isFloat(a)) return f.div(a, b);
  const exact = f.div(f.cast(a, 'float64'), b);
  return f.cast(f.where(f.less(exact, 0), f.ceil(exact), f.floor(exact)), a.dtype);
}

function clipped(c: NodeCall): OperatorResult {
  // Attributes before opset 11, inputs since.
  const bound = (name: string, index: number): number | undefined => {
    if (c.hasAttribute(name)) return c.a(name, 0);
    return c.has(index) ? c.number(index) : undefined;
  };
  const [min, max] = [bound('min', 1), bound('max', 2)];
  if (min === undefined && max === undefined) return c.x();
  return f.clip(c.x(), { ...(min !== undefined && { min }), ...(max !== undefined && { max }) });
}

function dropped(c: NodeCall): OperatorResult {
  c.ignore('seed', 'is_test');
  const p = c.number(1, c.a('ratio', 0.5)); // An attribute before opset 12.
  const isAsked = c.number(2) !== 0;
  const drops = (isAsked || c.training) && p !== 0;
  if (drops && c.hasOutput(1)) return not('the mask of what is dropped is not given out');
  const y = f.dropout(c.x(), { p, training: drops });
  return c.hasOutput(1) ? [y, f.ones(y.shape, { dtype: 'bool' })] : y;
}

function slopes(c: NodeCall): OperatorResult {
  const [x, slope] = [c.x(0), c.x(1)];
  if (slope.size === 1 || slope.rank === x.rank) return f.prelu(x, slope);
  if (c.opset < 7 && slope.rank === 1) return f.prelu(x, slope); // One for each channel.
  const before = Array.from({ length: x.rank - slope.rank }, () => 1);
  return f.prelu(x, f.reshape(slope, [...before, ...slope.shape]));
}

/** Operators on single elements. */
export const ELEMENTWISE: Readonly<Record<string, Operator>> = {
  Abs: (c) => f.abs(c.x()),
  Acos: (c) => f.acos(c.x()),
  Acosh: (c) => f.acosh(c.x()),
  Add: binary(f.add),
  And: binary(f.logicalAnd),
  Asin: (c) => f.asin(c.x()),
  Asinh: (c) => f.asinh(c.x()),
  Atan: (c) => f.atan(c.x()),
  Atanh: (c) => f.atanh(c.x()),
  Cast: (c) => {
    c.ignore('saturate');
    const type = c.elementType('to');
    if (type === undefined) return not('a type that is not computed here');
    // What is stored in 16 bits is rounded to them, and computed in 32.
    const rounded = type.storedAs === undefined ? c.x() : f.cast(c.x(), type.storedAs);
    return f.cast(rounded, type.dtype);
  },
  CastLike: (c) => {
    c.ignore('saturate');
    return f.cast(c.x(0), c.x(1).dtype);
  },
  Ceil: (c) => f.ceil(c.x()),
  Celu: (c) => f.celu(c.x(), { alpha: c.a('alpha', 1) }),
  Clip: clipped,
  Cos: (c) => f.cos(c.x()),
  Cosh: (c) => f.cosh(c.x()),
  Div: binary(quotient),
  Dropout: dropped,
  Elu: (c) => f.elu(c.x(), { alpha: c.a('alpha', 1) }),
  Equal: binary(f.equal),
  Erf: (c) => f.erf(c.x()),
  Exp: (c) => f.exp(c.x()),
  Floor: (c) => f.floor(c.x()),
  Gelu: (c) => {
    const approximate = c.choice('approximate', ['none', 'tanh'], 'none');
    return approximate === null ? not('another approximation') : f.gelu(c.x(), { approximate });
  },
  Greater: binary(f.greater),
  GreaterOrEqual: binary(f.greaterEqual),
  HardSigmoid: (c) => f.hardSigmoid(c.x(), { alpha: c.a('alpha', 0.2), beta: c.a('beta', 0.5) }),
  HardSwish: (c) => f.hardSwish(c.x()),
  Identity: (c) => c.x(),
  IsInf: (c) => {
    const [positive, negative] = ['detect_positive', 'detect_negative'].map((name) => c.a(name, 1));
    if (positive === 1 && negative === 1) return f.isInf(c.x());
    if (positive === 0 && negative === 0) return f.zeros(c.x().shape, { dtype: 'bool' });
    return f.equal(c.x(), positive === 1 ? Infinity : -Infinity);
  },
  IsNaN: (c) => f.isNaN(c.x()),
  LeakyRelu: (c) => f.leakyRelu(c.x(), { negativeSlope: c.a('alpha', 0.01) }),
  Less: binary(f.less),
  LessOrEqual: binary(f.lessEqual),
  Log: (c) => f.log(c.x()),
  Max: (c) => f.maximum(c.all()),
  Mean: (c) => f.div(f.add(c.all()), c.count),
  Min: (c) => f.minimum(c.all()),
  Mish: (c) => f.mish(c.x()),
  Mod: (c) => f.mod(c.x(0), c.x(1), { sign: c.a('fmod', 0) === 1 ? 'dividend' : 'divisor' }),
  Mul: binary(f.mul),
  Neg: (c) => f.neg(c.x()),
  Not: (c) => f.logicalNot(c.x()),
  Or: binary(f.logicalOr),
  Pow: (c) => {
    const power = f.pow(c.x(0), spread(c, c.x(0), c.x(1)));
    return power.dtype === c.x().dtype ? power : not('integers to a power that is not whole');
  },
  PRelu: slopes,
  Reciprocal: (c) => f.reciprocal(c.x()),
  Relu: (c) => f.relu(c.x()),
  Round: (c) => f.round(c.x()),
  Selu: (c) => {
    const given = ['alpha', 'gamma'].some((name) => c.hasAttribute(name));
    if (!given) return f.selu(c.x());
    // ONNX's defaults, in float32.
    return f.selu(c.x(), {
      alpha: c.a('alpha', 1.6732631921768188),
      scale: c.a('gamma', 1.0507010221481323),
    });
  },
  Shrink: (c) => {
    const [lambda, bias] = [c.a('lambd', 0.5), c.a('bias', 0)];
    if (bias === 0) return f.hardShrink(c.x(), { lambda });
    return bias === lambda ? f.softShrink(c.x(), { lambda }) : not('a bias that is not lambda');
  },
  Sigmoid: (c) => f.sigmoid(c.x()),
  Sign: (c) => f.sign(c.x()),
  Sin: (c) => f.sin(c.x()),
  Sinh: (c) => f.sinh(c.x()),
  Softplus: (c) => f.softplus(c.x()),
  Softsign: (c) => f.softsign(c.x()),
  Sqrt: (c) => f.sqrt(c.x()),
  Sub: binary(f.sub),
  Sum: (c) => f.add(c.all()),
  Tan: (c) => f.tan(c.x()),
  Tanh: (c) => f.tanh(c.x()),
  ThresholdedRelu: (c) => f.thresholdedRelu(c.x(), { alpha: c.a('alpha', 1) }),
  Where: (c) => f.where(c.x(0), c.x(1), c.x(2)),
  Xor: binary(f.logicalXor),
};
