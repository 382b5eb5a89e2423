import type { DownloadProgress } from './fetch-file.ts';

/** The part of a stream such as `process.stderr` that the bar needs. */
interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const WIDTH = 24;
const REDRAW_MS = 100;

/**
 * Shows a download: on a terminal a bar with rate and remaining time, redrawn in its line; elsewhere
 * a line for each tenth part.
 *
 * @param output default `process.stderr`
 */
export function downloadProgressBar(
  output: Output = process.stderr,
): (progress: DownloadProgress) => void {
  return output.isTTY === true ? bar(output) : lines(output);
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function bar(output: Output): (progress: DownloadProgress) => void {
  let drawn = -Infinity;
  let start: { readonly time: number; readonly bytes: number } | undefined;
  return ({ name, receivedBytes, totalBytes }) => {
    const now = performance.now();
    start ??= { time: now, bytes: receivedBytes };
    const isDone = receivedBytes === totalBytes;
    if (!isDone && now - drawn < REDRAW_MS) return;
    drawn = now;
    const rate = (1000 * (receivedBytes - start.bytes)) / Math.max(now - start.time, 1);
    const speed = `${megabytes(rate)} MB/s`;
    const amount = `${megabytes(receivedBytes)}${totalBytes === null ? '' : `/${megabytes(totalBytes)}`} MB`;
    if (totalBytes === null) {
      output.write(`\r${name}  ${amount}  ${speed}\x1b[K`);
      return;
    }
    const share = Math.min(receivedBytes / totalBytes, 1);
    const filled = Math.round(WIDTH * share);
    const picture = `[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}]`;
    const percent = `${Math.floor(100 * share)} %`.padStart(5);
    const rest = rate > 0 ? `  ${formatSeconds((totalBytes - receivedBytes) / rate)} left` : '';
    output.write(
      `\r${name} ${picture} ${percent}  ${amount}  ${speed}${isDone ? '' : rest}\x1b[K${isDone ? '\n' : ''}`,
    );
  };
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function lines(output: Output): (progress: DownloadProgress) => void {
  let tenths = -1;
  return ({ name, receivedBytes, totalBytes }) => {
    if (totalBytes === null) return;
    const reached = Math.floor((10 * receivedBytes) / totalBytes);
    if (reached <= tenths) return;
    tenths = reached;
    output.write(`${name}: ${10 * reached} % of ${megabytes(totalBytes)} MB\n`);
  };
}
