/**
 * A kernel for gpu.js as text: it parses kernels, so text is passed and never a function, which
 * minifiers and coverage tools would rewrite. All sizes are literals in it: gpu.js stops loops with a
 * variable bound after a thousand rounds, and ignores constants that change later.
 *
 * Every thread returns one texel, four numbers. Arguments are texels of the device, addressed by one
 * index below 2^24 (it is a float32 on some devices), or arrays of the host, addressed by
 * `[plane][row][column]`.
 */
export interface Program {
  /** For messages. */
  readonly name: string;
  readonly source: string;
  /** Threads along x, y, z; texel `x + X · (y + Y · z)` of the result comes from thread (x, y, z). */
  readonly output: readonly [number, number, number];
  /** For each argument from the host its size [columns, rows, planes]; null for one of the device. */
  readonly sizes: readonly (readonly [number, number, number] | null)[];
}

/** How a kernel reads a texel: at once from a texture, or number by number from a buffer. */
export type Dialect = 'texture' | 'buffer';

/** Statements that read texel `index` of the argument `array`; `${name}0` to `${name}3` are its numbers. */
export function readTexel(dialect: Dialect, name: string, array: string, index: string): string {
  const lanes = [0, 1, 2, 3];
  if (dialect === 'texture') {
    const parts = lanes.map((lane) => `const ${name}${lane} = ${name}[${lane}];`);
    return `const ${name} = ${array}[${index}]; ${parts.join(' ')}`;
  }
  const parts = lanes.map((lane) => `const ${name}${lane} = ${array}[${name}][${lane}];`);
  return `const ${name} = ${index}; ${parts.join(' ')}`;
}

/**
 * Whole numbers that `quotient` divides must be below this, and so a program has fewer planes: GPUs
 * divide with an error of up to 2.5 units in the last place, of which there are 2^24.
 */
export const MAXIMUM_QUOTIENT = 2 ** 20;

/**
 * ⌊numerator / divisor⌋ of whole numbers. Half a step keeps it from falling below the whole number
 * where division is not exact, as on GPUs.
 */
export function quotient(numerator: string, divisor: number): string {
  return divisor === 1 ? numerator : `Math.floor((${numerator} + 0.5) / ${divisor})`;
}

export function defineProgram(
  name: string,
  {
    output,
    parameters,
    body,
  }: {
    readonly output: Program['output'];
    /** Names, and for arguments from the host their sizes. */
    readonly parameters: Readonly<Record<string, Program['sizes'][number]>>;
    readonly body: string;
  },
): Program {
  const names = Object.keys(parameters).join(', ');
  const source = `function (${names}) {\n${body}\n}`;
  return { name, source, output, sizes: Object.values(parameters) };
}

/** Texels of a program's result. */
export function texelCount({ output: [x, y, z] }: Program): number {
  return x * y * z;
}

/**
 * Statements that put zeros into the places of a group's last quad that no channel takes: there,
 * infinity times the zeros of a weight would be NaN, and reach the next layer.
 *
 * @param inside the expression for the quad's place in its group
 */
export function clearEmptyLanes(channels: number, inside: string): string {
  const taken = channels % 4;
  if (taken === 0) return '';
  const zeros = [1, 2, 3].filter((lane) => lane >= taken).map((lane) => `s${lane} = 0.0;`);
  return `if (${inside} == ${Math.floor(channels / 4)}) { ${zeros.join(' ')} }`;
}
