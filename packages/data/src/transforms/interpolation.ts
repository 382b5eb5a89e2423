import { expectThat } from '@firelight/tensor/extend';

/** How values between pixels are found. */
export type Interpolation = 'linear' | 'nearest';

/** @throws ValueError for an unknown one, which plain JavaScript can pass */
export function checkInterpolation(op: string, interpolation: Interpolation): void {
  const isKnown = interpolation === 'linear' || interpolation === 'nearest';
  expectThat(isKnown, op, 'interpolation', "'linear' or 'nearest'", interpolation);
}
