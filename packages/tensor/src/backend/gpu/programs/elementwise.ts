import { type Dialect, defineProgram, type Program, quotient, readTexel } from './program.ts';

type Size = readonly [number, number, number];

/** The index of this thread's texel in an array of the result's size. */
function ownIndex([x, y]: Size): string {
  return `this.thread.x + ${x} * (this.thread.y + ${y} * this.thread.z)`;
}

/** 0 where ReLU held the output back, else the gradient: also where the output is NaN. */
export function reluGradProgram(dialect: Dialect, size: Size): Program {
  const lanes = [0, 1, 2, 3].map((lane) => `(m${lane} <= 0 ? 0.0 : g${lane})`);
  return defineProgram('gradient of ReLU', {
    output: size,
    parameters: { y: null, grad: null },
    body: `
    const i = ${ownIndex(size)};
    ${readTexel(dialect, 'm', 'y', 'i')}
    ${readTexel(dialect, 'g', 'grad', 'i')}
    return [${lanes.join(', ')}];`,
  });
}

/** The sum of `count` arrays that lie one after the other. */
export function sumProgram(dialect: Dialect, size: Size, count: number): Program {
  const texels = size[0] * size[1] * size[2];
  return defineProgram('sum', {
    output: size,
    parameters: { parts: null },
    body: `
    const i = ${ownIndex(size)};
    let s0 = 0.0; let s1 = 0.0; let s2 = 0.0; let s3 = 0.0;
    for (let part = 0; part < ${count}; part++) {
      ${readTexel(dialect, 'p', 'parts', `i + part * ${texels}`)}
      s0 += p0; s1 += p1; s2 += p2; s3 += p3;
    }
    return [s0, s1, s2, s3];`,
  });
}

export function addProgram(dialect: Dialect, size: Size): Program {
  return defineProgram('add', {
    output: size,
    parameters: { a: null, b: null },
    body: `
    const i = ${ownIndex(size)};
    ${readTexel(dialect, 'p', 'a', 'i')}
    ${readTexel(dialect, 'r', 'b', 'i')}
    return [p0 + r0, p1 + r1, p2 + r2, p3 + r3];`,
  });
}

/** Channels of two arrays side by side: [N, A, H, W] and [N, B, H, W] → [N, A + B, H, W] quads. */
export function joinProgram(
  dialect: Dialect,
  {
    images,
    height,
    width,
    quads: [first, second],
  }: {
    readonly images: number;
    readonly height: number;
    readonly width: number;
    readonly quads: readonly [number, number];
  },
): Program {
  const at = (plane: string): string =>
    `this.thread.x + ${width} * (this.thread.y + ${height} * (${plane}))`;
  const total = first + second;
  return defineProgram('join', {
    output: [width, height, images * total],
    parameters: { a: null, b: null },
    body: `
    const n = ${quotient('this.thread.z', total)};
    const q = this.thread.z - n * ${total};
    let r0 = 0.0; let r1 = 0.0; let r2 = 0.0; let r3 = 0.0;
    if (q < ${first}) {
      ${readTexel(dialect, 'p', 'a', at(`n * ${first} + q`))}
      r0 = p0; r1 = p1; r2 = p2; r3 = p3;
    } else {
      ${readTexel(dialect, 'p', 'b', at(`n * ${second} + q - ${first}`))}
      r0 = p0; r1 = p1; r2 = p2; r3 = p3;
    }
    return [r0, r1, r2, r3];`,
  });
}
