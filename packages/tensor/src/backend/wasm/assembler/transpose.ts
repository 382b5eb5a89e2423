import type { Local } from './parameters.ts';
import type { Floats } from './vectors.ts';

/** Transposes four vectors: lane j of result i is lane i of argument j. `halves` are overwritten. */
export function transposed4(
  [a, b, c, d]: readonly Floats[],
  halves: readonly Local<Floats>[],
): [Floats, Floats, Floats, Floats] {
  const [abLow, abHigh, cdLow, cdHigh] = halves;
  abLow.set(a.shuffle(b, [0, 4, 1, 5]));
  abHigh.set(a.shuffle(b, [2, 6, 3, 7]));
  cdLow.set(c.shuffle(d, [0, 4, 1, 5]));
  cdHigh.set(c.shuffle(d, [2, 6, 3, 7]));
  return [
    abLow.shuffle(cdLow, [0, 1, 4, 5]),
    abLow.shuffle(cdLow, [2, 3, 6, 7]),
    abHigh.shuffle(cdHigh, [0, 1, 4, 5]),
    abHigh.shuffle(cdHigh, [2, 3, 6, 7]),
  ];
}
