import { ValueError } from '@firelight/tensor';

/** How values between pixels are found. */
export type Interpolation = 'linear' | 'nearest';

/** @throws ValueError for an unknown one, which plain JavaScript can pass */
export function checkInterpolation(op: string, interpolation: Interpolation): void {
  if (interpolation !== 'linear' && interpolation !== 'nearest') {
    throw new ValueError(
      `${op}: interpolation must be 'linear' or 'nearest', got '${interpolation}'`,
    );
  }
}
