/** How programs show what takes long: a bar in a terminal's line, and durations. */

/** Where progress is shown: a terminal, a file, or whatever takes text. */
export interface TextStream {
  /** Writes it as it is. */
  write(text: string): unknown;
  /** Whether it is a terminal, in which a line can be written again. */
  readonly isTTY?: boolean;
  /** Letters in a line of the terminal; 0 where it does not know. */
  readonly columns?: number;
}

const BAR_WIDTH = 24;

/** A bar such as `██████░░░░░░░░░░░░░░░░░░`; `share` is what is done, 0 to 1. */
export function progressBar(share: number): string {
  const filled = Math.round(BAR_WIDTH * Math.min(Math.max(share, 0), 1));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

/** Seconds as `m:ss`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** Writes `line` in the place of the line in which the terminal's cursor is, cut to its width. */
export function rewriteLine(stream: TextStream, line: string): void {
  stream.write(`\r\x1b[K${line.slice(0, stream.columns || undefined)}`);
}
