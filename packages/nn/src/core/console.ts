import type { TextStream } from '@firelight/tensor/extend';

/**
 * Standard output or standard error of a process; null in a browser. What cannot be written because
 * the reader or the terminal is gone is dropped: that must not end a training.
 */
function processStream(name: 'stdout' | 'stderr'): TextStream | null {
  const stream = typeof process === 'object' ? process[name] : undefined;
  if (stream === undefined) return null;
  const drop = (error?: Error | null): void => {
    // The stream is about to emit it, which ends a process where nobody listens.
    if (error) stream.once('error', () => {});
  };
  return {
    write: (text) => stream.write(text, drop),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
  };
}

/** Standard output, or the console where there is none. */
export function standardOutput(): TextStream {
  return processStream('stdout') ?? { write: (text) => printLine(text.trimEnd()) };
}

/** Prints a line; the default of callbacks that take another function. */
export function printLine(line: string): void {
  const stream = processStream('stdout');
  // biome-ignore lint/suspicious/noConsole: the monitors exist to print, and take another place by option
  if (stream === null) console.log(line);
  else stream.write(`${line}\n`);
}

/** Warns where nobody names another place for it. */
export function warnOnConsole(text: string): void {
  const line = `warning: ${text}`;
  const stream = processStream('stderr');
  // biome-ignore lint/suspicious/noConsole: a warning must reach somebody; another place goes by option
  if (stream === null) console.warn(line);
  else stream.write(`${line}\n`);
}
