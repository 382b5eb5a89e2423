import * as f from '@firelight/tensor';
import { type Mapping, not } from './call.ts';

/** Dtypes by ONNX's numbers. */
const CAST_TO: Readonly<Record<number, f.DType | undefined>> = {
  1: 'float32',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
};

/** Operators on single elements. */
export const ELEMENTWISE: Readonly<Record<string, Mapping>> = {
  Abs: (c) => f.abs(c.x()),
  Acos: (c) => f.acos(c.x()),
  Acosh: (c) => f.acosh(c.x()),
  Add: (c) => f.add(c.x(0), c.x(1)),
  And: (c) => f.logicalAnd(c.x(0), c.x(1)),
  Asin: (c) => f.asin(c.x()),
  Asinh: (c) => f.asinh(c.x()),
  Atan: (c) => f.atan(c.x()),
  Atanh: (c) => f.atanh(c.x()),
  Cast: (c) => {
    const dtype = CAST_TO[c.a('to', 0)];
    return dtype === undefined ? not('a dtype that tensors have not') : f.cast(c.x(0), dtype);
  },
  CastLike: (c) => f.cast(c.x(0), c.x(1).dtype),
  Ceil: (c) => f.ceil(c.x()),
  Celu: (c) => f.celu(c.x(), { alpha: c.a('alpha', 1) }),
  Clip: (c) => {
    const bounds = {
      ...(c.has(1) && { min: c.number(1) }),
      ...(c.has(2) && { max: c.number(2) }),
    };
    return f.clip(c.x(), bounds);
  },
  Cos: (c) => f.cos(c.x()),
  Cosh: (c) => f.cosh(c.x()),
  Div: (c) => f.div(c.x(0), c.x(1)),
  Dropout: (c) => {
    c.ignore('seed');
    const p = c.number(1, c.a('ratio', 0.5)); // An attribute before opset 12.
    const training = c.number(2) !== 0;
    if (c.outputs > 1) return not('the mask of dropout is not given out');
    if (training && p !== 0) return not('random numbers of another generator');
    return f.dropout(c.x(), { p, training });
  },
  Elu: (c) => f.elu(c.x(), { alpha: c.a('alpha', 1) }),
  Equal: (c) => f.equal(c.x(0), c.x(1)),
  Erf: (c) => f.erf(c.x()),
  Exp: (c) => f.exp(c.x()),
  Floor: (c) => f.floor(c.x()),
  Gelu: (c) => f.gelu(c.x(), { approximate: c.text('approximate', 'none') as 'none' | 'tanh' }),
  Greater: (c) => f.greater(c.x(0), c.x(1)),
  GreaterOrEqual: (c) => f.greaterEqual(c.x(0), c.x(1)),
  HardSigmoid: (c) => f.hardSigmoid(c.x(), { alpha: c.a('alpha', 0.2), beta: c.a('beta', 0.5) }),
  HardSwish: (c) => f.hardSwish(c.x()),
  IsInf: (c) => {
    const [positive, negative] = ['detect_positive', 'detect_negative'].map((name) => c.a(name, 1));
    if (positive === 1 && negative === 1) return f.isInf(c.x());
    return f.equal(c.x(), positive === 1 ? Infinity : -Infinity);
  },
  IsNaN: (c) => f.isNaN(c.x()),
  LeakyRelu: (c) => f.leakyRelu(c.x(), { negativeSlope: c.a('alpha', 0.01) }),
  Less: (c) => f.less(c.x(0), c.x(1)),
  LessOrEqual: (c) => f.lessEqual(c.x(0), c.x(1)),
  Log: (c) => f.log(c.x()),
  Max: (c) => f.maximum(c.all()),
  Min: (c) => f.minimum(c.all()),
  Mish: (c) => f.mish(c.x()),
  Mod: (c) => f.mod(c.x(0), c.x(1), { sign: c.a('fmod', 0) === 1 ? 'dividend' : 'divisor' }),
  Mul: (c) => f.mul(c.x(0), c.x(1)),
  Neg: (c) => f.neg(c.x()),
  Not: (c) => f.logicalNot(c.x()),
  Or: (c) => f.logicalOr(c.x(0), c.x(1)),
  Pow: (c) => {
    const power = f.pow(c.x(0), c.x(1));
    return power.dtype === c.x().dtype ? power : not('integers to a power that is not whole');
  },
  PRelu: (c) => {
    const [x, slopes] = [c.x(0), c.x(1)];
    const isClear = slopes.size === 1 || slopes.rank === x.rank;
    return isClear ? f.prelu(x, slopes) : not('slopes of fewer axes, aligned at the last one');
  },
  Reciprocal: (c) => f.reciprocal(c.x()),
  Relu: (c) => f.relu(c.x()),
  Round: (c) => f.round(c.x()),
  Selu: (c) => {
    if (!c.hasAttribute('alpha')) return f.selu(c.x());
    return f.selu(c.x(), { alpha: c.a('alpha', 1), scale: c.a('gamma', 1) });
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
  Sub: (c) => f.sub(c.x(0), c.x(1)),
  Sum: (c) => f.add(c.all()),
  Tan: (c) => f.tan(c.x()),
  Tanh: (c) => f.tanh(c.x()),
  ThresholdedRelu: (c) => f.thresholdedRelu(c.x(), { alpha: c.a('alpha', 1) }),
  Where: (c) => f.where(c.x(0), c.x(1), c.x(2)),
  Xor: (c) => f.logicalXor(c.x(0), c.x(1)),
};
