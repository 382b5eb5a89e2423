import type { FunctionBuilder } from '../../assembler/function.ts';
import type { Local } from '../../assembler/parameters.ts';
import type { Floats } from '../../assembler/vectors.ts';

/**
 * Winograd's minimal filtering F(m, 3): m outputs of a filter of 3 taps from n = m + 2 inputs with n
 * multiplications instead of 3 · m:
 *
 *     y = Aᵀ [(G g) ⊙ (Bᵀ d)]          in two dimensions  Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
 *
 * So F(4×4, 3×3) takes 36 multiplications for 16 outputs where the sum takes 144, and F(2×2, 3×3) 16
 * for 4 where it takes 36.
 *
 * The transforms evaluate polynomials at n − 1 points and ∞. F(2) takes 0 and ±1. For F(4) the usual
 * points 0, ±1, ±2 give errors three times as large as 0, ±3/4, ±3/2, between which the factors
 * differ less and are exact in float32, for the same work.
 *
 * @see Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308; on
 *   points: Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution",
 *   arXiv:1803.10986
 */
export type OutputTile = 2 | 4;

export const inputTile = (m: OutputTile): number => m + 2;

/** One of the 1-D transforms, many of them at a time, one in each lane. */
export type Transform = (
  f: FunctionBuilder,
  source: readonly Local<Floats>[],
  result: readonly Local<Floats>[],
) => void;

/** The points ±a, ±b of F(4). */
const A = 3 / 4;
const B = 3 / 2;
/** 1 / Π (p − q) over the other points q, for p = 0, ±a and ±b. */
const AT_ZERO = 1 / (A * A * B * B);
const AT_A = 1 / (2 * A * A * (A * A - B * B));
const AT_B = 1 / (2 * B * B * (B * B - A * A));

/** Constants in variables: engines take several instructions for each in the code. */
function constantsOf(f: FunctionBuilder) {
  const { splat } = f.constants;
  return { splat, times: (value: Floats, factor: number) => value.times(splat(factor)) };
}

/** Bᵀ d: n inputs to n. */
export const INPUT: Readonly<Record<OutputTile, Transform>> = {
  2(_, [d0, d1, d2, d3], [r0, r1, r2, r3]) {
    r0.set(d0.minus(d2));
    r1.set(d1.plus(d2));
    r2.set(d2.minus(d1));
    r3.set(d1.minus(d3));
  },
  4(f, [d0, d1, d2, d3, d4, d5], [r0, r1, r2, r3, r4, r5]) {
    const { splat, times } = constantsOf(f);
    const plus = (value: Floats, factor: number, other: Floats): Floats =>
      f.multiplyAdd(splat(factor), other, value);
    // (x² − a²) (x² − b²) at 0, and x times it at ∞.
    r0.set(plus(plus(d4, A * A * B * B, d0), -(A * A + B * B), d2));
    r5.set(plus(plus(d5, A * A * B * B, d1), -(A * A + B * B), d3));
    // At ±a: even ± a · odd with (x² − b²); at ±b the same with a and b exchanged.
    r3.set(plus(d4, -B * B, d2));
    r4.set(times(plus(d3, -B * B, d1), A));
    r1.set(r3.plus(r4));
    r2.set(r3.minus(r4));
    d4.set(plus(d4, -A * A, d2));
    d3.set(times(plus(d3, -A * A, d1), B));
    r3.set(d4.plus(d3));
    r4.set(d4.minus(d3));
  },
};

/** G g: 3 taps to n. */
export const WEIGHTS: Readonly<Record<OutputTile, Transform>> = {
  2(f, [g0, g1, g2], [r0, r1, r2, r3]) {
    const { times } = constantsOf(f);
    r0.set(g0);
    r1.set(times(g0.plus(g1).plus(g2), 1 / 2));
    r2.set(times(g0.minus(g1).plus(g2), 1 / 2));
    r3.set(g2);
  },
  4(f, [g0, g1, g2], [r0, r1, r2, r3, r4, r5]) {
    const { times } = constantsOf(f);
    r0.set(times(g0, AT_ZERO));
    r1.set(
      times(g0, AT_A)
        .plus(times(g1, AT_A * A))
        .plus(times(g2, AT_A * A * A)),
    );
    r2.set(
      times(g0, AT_A)
        .minus(times(g1, AT_A * A))
        .plus(times(g2, AT_A * A * A)),
    );
    r3.set(
      times(g0, AT_B)
        .plus(times(g1, AT_B * B))
        .plus(times(g2, AT_B * B * B)),
    );
    r4.set(
      times(g0, AT_B)
        .minus(times(g1, AT_B * B))
        .plus(times(g2, AT_B * B * B)),
    );
    r5.set(g2);
  },
};

/** Aᵀ y: n products to m outputs. */
export const OUTPUT: Readonly<Record<OutputTile, Transform>> = {
  2(_, [p0, p1, p2, p3], [r0, r1]) {
    r0.set(p0.plus(p1).plus(p2));
    r1.set(p1.minus(p2).minus(p3));
  },
  4(f, [p0, p1, p2, p3, p4, p5], [r0, r1, r2, r3]) {
    const { splat, times } = constantsOf(f);
    // Powers 0 to 3 of the points; ±a share a sum (even powers) and a difference (odd ones).
    r0.set(p1.plus(p2));
    r1.set(p1.minus(p2));
    r2.set(p3.plus(p4));
    r3.set(p3.minus(p4));
    p1.set(r0);
    p2.set(r1);
    p3.set(r2);
    p4.set(r3);
    r0.set(p0.plus(p1).plus(p3));
    r1.set(f.multiplyAdd(splat(B), p4, times(p2, A)));
    r2.set(f.multiplyAdd(splat(B * B), p3, times(p1, A * A)));
    r3.set(f.multiplyAdd(splat(B ** 3), p4, f.multiplyAdd(splat(A ** 3), p2, p5)));
  },
};

/**
 * The transforms of the gradient by the weights, which are those above transposed:
 *
 *     dg = Gᵀ [Σ (Bᵀ d B) ⊙ (A dy Aᵀ)] G      summed over all tiles
 *
 * A dy: m gradients to n.
 */
export const GRADIENT: Readonly<Record<OutputTile, Transform>> = {
  2(_, [y0, y1], [r0, r1, r2, r3]) {
    r0.set(y0);
    r1.set(y0.plus(y1));
    r2.set(y0.minus(y1));
    r3.set(y1.negated());
  },
  4(f, [y0, y1, y2, y3], [r0, r1, r2, r3, r4, r5]) {
    const { splat, times } = constantsOf(f);
    r0.set(y0);
    r5.set(y3);
    for (const [plus, minus, point] of [
      [r1, r2, A],
      [r3, r4, B],
    ] as const) {
      const even = f.floatsLike(y0, f.multiplyAdd(splat(point * point), y2, y0));
      const odd = f.floatsLike(y0, f.multiplyAdd(splat(point ** 3), y3, times(y1, point)));
      plus.set(even.plus(odd));
      minus.set(even.minus(odd));
    }
  },
};

/** Gᵀ u: n sums to the 3 taps. */
export const WEIGHT_GRADIENT: Readonly<Record<OutputTile, Transform>> = {
  2(f, [u0, u1, u2, u3], [r0, r1, r2]) {
    const { times } = constantsOf(f);
    const sum = times(u1.plus(u2), 1 / 2);
    r0.set(u0.plus(sum));
    r1.set(times(u1.minus(u2), 1 / 2));
    r2.set(u3.plus(sum));
  },
  4(f, [u0, u1, u2, u3, u4, u5], [r0, r1, r2]) {
    const { times } = constantsOf(f);
    const [sumA, differenceA] = [u1.plus(u2), u1.minus(u2)];
    const [sumB, differenceB] = [u3.plus(u4), u3.minus(u4)];
    r0.set(times(u0, AT_ZERO).plus(times(sumA, AT_A)).plus(times(sumB, AT_B)));
    r1.set(times(differenceA, AT_A * A).plus(times(differenceB, AT_B * B)));
    r2.set(u5.plus(times(sumA, AT_A * A * A)).plus(times(sumB, AT_B * B * B)));
  },
};
