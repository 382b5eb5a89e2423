import type { Conv2dWindow, Padding } from '../../../../core/window.ts';

/**
 * The gradient by the input of a convolution with stride s meets, at padded input position
 * p = s · q + r, only the taps k with dilation · k ≡ r (mod s), and reads the output at q − back with
 * back = (dilation · k − r) / s. So each remainder r is a convolution with stride 1 of its own.
 */

/** One remainder of one axis. */
interface PhaseAxis {
  /** The input positions are start, start + s, …, `count` of them. */
  readonly start: number;
  readonly count: number;
  /** Output position q of the first of them. */
  readonly first: number;
  readonly taps: readonly { readonly kernel: number; readonly back: number }[];
}

export interface Phase {
  readonly rows: PhaseAxis;
  readonly columns: PhaseAxis;
}

interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly inSize: number;
}

function phaseAxes({ kernel, stride, dilation, before, inSize }: Axis): PhaseAxis[] {
  return Array.from({ length: stride }, (_, remainder) => {
    const first = Math.ceil((before - remainder) / stride);
    const start = stride * first + remainder - before;
    const count = Math.max(0, Math.ceil((inSize - start) / stride));
    const taps = [];
    for (let k = 0; k < kernel; k++) {
      const back = (dilation * k - remainder) / stride;
      if (Number.isInteger(back)) taps.push({ kernel: k, back });
    }
    return { start, count, first, taps };
  });
}

/** Zeros needed around the output's gradient so that every `q − back` can be read. */
function paddingOf(axes: readonly PhaseAxis[], outSize: number): [number, number] {
  let before = 0;
  let after = 0;
  for (const { count, first, taps } of axes) {
    if (count === 0) continue;
    for (const { back } of taps) {
      before = Math.max(before, back - first);
      after = Math.max(after, first + count - 1 - back - (outSize - 1));
    }
  }
  return [before, after];
}

export function phasesOf(
  window: Conv2dWindow,
  gradOut: { readonly height: number; readonly width: number },
  gradIn: { readonly height: number; readonly width: number },
): { phases: Phase[]; padding: Padding } {
  const rows = phaseAxes({
    kernel: window.kernelHeight,
    stride: window.strideHeight,
    dilation: window.dilationHeight,
    before: window.padding.top,
    inSize: gradIn.height,
  });
  const columns = phaseAxes({
    kernel: window.kernelWidth,
    stride: window.strideWidth,
    dilation: window.dilationWidth,
    before: window.padding.left,
    inSize: gradIn.width,
  });
  const [top, bottom] = paddingOf(rows, gradOut.height);
  const [left, right] = paddingOf(columns, gradOut.width);
  const phases = rows.flatMap((row) => columns.map((column) => ({ rows: row, columns: column })));
  return { phases, padding: { top, bottom, left, right } };
}
