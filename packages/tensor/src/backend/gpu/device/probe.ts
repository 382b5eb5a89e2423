import { defineProgram } from '../programs/program.ts';

/** A first kernel, to see which class runs it and whether it keeps float32. */
export const PROBE = defineProgram('probe', {
  output: [2, 1, 1],
  parameters: { x: [2, 1, 1] },
  body: 'const v = x[0][0][this.thread.x]; return [v, v * 3.0, v + 1.0, 0.1];',
});

export const PROBE_VALUES = new Float32Array([1.2345678, 16_777_215]);

/** Why the result of the probe cannot be relied on; null if it can. */
export function complaintAboutProbe(actual: Float32Array): string | null {
  const expected = Array.from(PROBE_VALUES).flatMap((v) => [v, v * 3, v + 1, 0.1]);
  const isExact = expected.every((value, i) => Math.abs(actual[i] - value) <= 2e-7 * value);
  if (isExact) return null;
  const found = Array.from(actual).join(', ');
  return `it does not compute in float32 here: ${found} instead of ${expected.join(', ')}`;
}
