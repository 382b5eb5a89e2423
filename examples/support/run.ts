import pc from 'picocolors';

/** Colours for standard error, only where it is a terminal. */
const { red, yellow } = pc.createColors(pc.isColorSupported && Boolean(process.stderr.isTTY));

/** Prints a warning that cannot be overlooked. */
export function warn(text: string): void {
  console.error(yellow(`warning: ${text}`));
}

/**
 * Runs an example: an error becomes one sentence on standard error and exit code 1. Set
 * FIRELIGHT_DEBUG=1 to see where it came from.
 */
export async function run(main: () => Promise<void>): Promise<void> {
  // A reader that stops early, such as `head`, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  try {
    await main();
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    console.error(red(`error: ${process.env.FIRELIGHT_DEBUG ? stack : message}`));
    process.exitCode = 1;
  }
}
