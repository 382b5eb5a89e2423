import { type Doubles, highToDoubles, lowToDoubles, splatF64 } from '../../assembler/doubles.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { Floats, Ints } from '../../assembler/vectors.ts';
import { toFloats } from '../lanes/long-sum.ts';
import { polynomial } from './functions.ts';

/** Up to here x / (π/2) has at most 20 bits before the point. */
const LONG = 2 ** 20;

/** π/2 as a number with 33 bits, whose products with 20 bits are exact in float64, and the rest. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;

/** 2/π in digits of 24 bits, whose products with float32 are exact in float64: enough for the largest. */
const TWO_OVER_PI = [
  0xa2f983, 0x6e4e44, 0x1529fc, 0x2757d1, 0xf534dd, 0xc0db62, 0x95993c, 0x439041,
].map((digit, i) => digit * 2 ** (-24 * (i + 1)));

/** (sin r − r) / r³ and cos r by r², for |r| ≤ π/4: sin r and cos r are exact to 2e-9 and 2e-10. */
const SINE = [-1 / 6, 1 / 120, -1 / 5040, 1 / 362_880];
const COSINE = [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40_320, -1 / 3_628_800];

/** x = quarter · π/2 + rest with a whole number and |rest| ≤ π/4. */
interface Reduced {
  readonly quarter: Local<Doubles>;
  readonly rest: Local<Doubles>;
}

/** For |x| < 2²⁰. */
function reduceShort(x: Doubles, { quarter, rest }: Reduced): void {
  quarter.set(x.times(splatF64(2 / Math.PI)).roundedToEven());
  rest.set(x.minus(quarter.times(splatF64(HALF_PI_HIGH))));
  rest.set(rest.minus(quarter.times(splatF64(HALF_PI_LOW))));
}

/**
 * For any x: x · 2/π is summed up digit by digit of 2/π. Of each exact product multiples of 4 are left
 * out, which are whole turns, and of each sum the whole numbers, so that the digits behind the point
 * that are left stay exact.
 *
 * @see Payne and Hanek, Radian reduction for trigonometric functions, 1983
 */
function reduceLong(f: FunctionBuilder, x: Doubles, { quarter, rest }: Reduced): void {
  const whole = f.doublesLike(rest);
  quarter.set(splatF64(0));
  rest.set(splatF64(0));
  for (const digit of TWO_OVER_PI) {
    whole.set(x.times(splatF64(digit)));
    const turns = whole.times(splatF64(1 / 4)).roundedToEven();
    rest.set(rest.plus(whole.minus(turns.times(splatF64(4)))));
    whole.set(rest.roundedToEven());
    rest.set(rest.minus(whole));
    quarter.set(quarter.plus(whole));
  }
  rest.set(rest.times(splatF64(Math.PI / 2)));
}

/** sin (x + shift · π/2): ± the sine or the cosine of what is left of x, as the quarter of the turn says. */
function shiftedSine(f: FunctionBuilder, x: Local<Floats>, shift: number): Floats {
  const { splat, splatInt } = f.constants;
  const halves = [lowToDoubles, highToDoubles].map((half) => {
    const like = half(x);
    return { half, quarter: f.doublesLike(like), rest: f.doublesLike(like) };
  });
  const isShort = x.abs().lessThan(splat(LONG));
  f.if(
    isShort.equals(splatInt(0)).anyTrue(),
    () => {
      for (const { half, ...reduced } of halves) reduceLong(f, half(x), reduced);
    },
    () => {
      for (const { half, ...reduced } of halves) reduceShort(half(x), reduced);
    },
  );
  const [low, high] = halves;
  const rest = f.floatsLike(x, toFloats([low.rest, high.rest]));
  const quarter: Local<Ints> = f.intsLike(x, toFloats([low.quarter, high.quarter]).toInts());
  quarter.set(quarter.plus(splatInt(shift)));
  const square = f.floatsLike(x, rest.times(rest));
  const cube = f.floatsLike(x, square.times(rest));
  const sine = f.floatsLike(x, f.multiplyAdd(polynomial(f, square, SINE), cube, rest));
  const cosine = polynomial(f, square, COSINE);
  const isOdd = quarter.and(splatInt(1)).equals(splatInt(1));
  sine.set(isOdd.select(cosine, sine));
  const sign = quarter.and(splatInt(2)).shiftLeft(30);
  return sine.bits().xor(sign).bits();
}

/** sin x, off by less than 1.6 units of the last place; 0 keeps its sign, infinities give NaN. */
export function sine(f: FunctionBuilder, x: Local<Floats>): void {
  x.set(x.equals(f.constants.splat(0)).select(x, shiftedSine(f, x, 0)));
}

/** cos x, likewise. */
export function cosine(f: FunctionBuilder, x: Local<Floats>): void {
  x.set(shiftedSine(f, x, 1));
}
