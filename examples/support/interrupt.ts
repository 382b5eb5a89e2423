/** Exit code of a process that was interrupted by Ctrl-C. */
export const INTERRUPTED = 130;

/**
 * A signal that the first Ctrl-C (or SIGTERM) aborts, so that the training can end after its step;
 * the second one ends the process at once.
 */
export function interruptSignal(warn: (text: string) => void): {
  readonly signal: AbortSignal;
  /** Ctrl-C does again what it always does. */
  release(): void;
} {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    warn('finishing this step and saving; press Ctrl-C again to stop at once');
    controller.abort();
  };
  const release = (): void => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return { signal: controller.signal, release };
}
