import {
  formatDuration,
  progressBar,
  rewriteLine,
  type TextStream,
} from '@firelight/tensor/extend';
import type { DownloadProgress } from './fetch-file.ts';

const REDRAW_MS = 100;

/**
 * Shows a download: on a terminal a bar with rate and remaining time, redrawn in its line; elsewhere
 * a line for each tenth part.
 *
 * @param output default `process.stderr`
 */
export function downloadProgressBar(
  output: TextStream = process.stderr,
): (progress: DownloadProgress) => void {
  return output.isTTY === true ? bar(output) : lines(output);
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

function bar(output: TextStream): (progress: DownloadProgress) => void {
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
      rewriteLine(output, `${name}  ${amount}  ${speed}`);
      return;
    }
    const share = receivedBytes / totalBytes;
    const percent = `${Math.floor(100 * share)} %`.padStart(5);
    const parts = [`${name} ${progressBar(share)} ${percent}`, amount, speed];
    if (!isDone && rate > 0)
      parts.push(`${formatDuration((totalBytes - receivedBytes) / rate)} left`);
    rewriteLine(output, parts.join('  '));
    if (isDone) output.write('\n');
  };
}

function lines(output: TextStream): (progress: DownloadProgress) => void {
  let tenths = -1;
  return ({ name, receivedBytes, totalBytes }) => {
    if (totalBytes === null) return;
    const reached = Math.floor((10 * receivedBytes) / totalBytes);
    if (reached <= tenths) return;
    tenths = reached;
    output.write(`${name}: ${10 * reached} % of ${megabytes(totalBytes)} MB\n`);
  };
}
