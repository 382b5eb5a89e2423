import { closeSync } from 'node:fs';
import { printable } from '@firelight/tensor/extend';
import pc from 'picocolors';

/** Colours for standard error, only where it is a terminal. */
const { red, yellow } = pc.createColors(pc.isColorSupported && Boolean(process.stderr.isTTY));

/** Prints a warning that cannot be overlooked. */
export function warn(text: string): void {
  console.error(yellow(printable(`warning: ${text}`)));
}

/**
 * Runs an example: an error becomes one sentence on standard error and exit code 1. Set
 * FIRELIGHT_DEBUG=1 to see where it came from.
 *
 * @param options `outlivesTerminal`: whether it goes on where nobody reads what it prints
 */
export async function run(
  main: () => Promise<void>,
  { outlivesTerminal = false }: { readonly outlivesTerminal?: boolean } = {},
): Promise<void> {
  if (outlivesTerminal) outliveTerminal();
  else process.stdout.on('error', endWithoutReader);
  try {
    await main();
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    console.error(red(printable(`error: ${process.env.FIRELIGHT_DEBUG ? stack : message}`)));
    process.exitCode = 1;
  }
}

/** A reader that stops early, such as `head`, is no error. */
function endWithoutReader({ code, message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') process.exit(0);
  console.error(red(`error: standard output cannot be written: ${message}`));
  process.exit(1);
}

/** Drops what cannot be printed, and stays when the terminal hangs up. */
function outliveTerminal(): void {
  const { stdout, stderr } = process;
  let isTold = false;
  let isGone = false;
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    isGone ||= code === 'EIO';
    if (isTold) return;
    isTold = true;
    warn(
      `standard output cannot be written: ${message}; going on without it (process ${process.pid})`,
    );
  });
  stderr.on('error', () => {}); // There is no other place to say it.
  process.on('SIGHUP', () => {
    isGone = true;
  });
  process.on('exit', () => {
    // Node aborts at its end where it cannot put back the settings of a terminal that is gone.
    if (isGone) for (const standard of [0, 1, 2]) closeSync(standard);
  });
}
