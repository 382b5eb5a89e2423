import { ValueError } from '../core/errors.ts';

let enabled = true;

/** Whether operations are being recorded for `backward()`. */
export function isGradEnabled(): boolean {
  return enabled;
}

/** A scope that ends when `body` returns cannot cover what an async function does afterwards. */
export function rejectPromise(name: string, result: unknown): void {
  if (result instanceof Promise) {
    throw new ValueError(
      `${name}: the function must not be async: its scope ends at the first await. ` +
        `Await first, then call ${name} around the synchronous part.`,
    );
  }
}

/**
 * Runs `body` without recording: nothing inside it can be differentiated, and no activations are
 * kept for it.
 *
 * @throws ValueError if `body` is async
 */
export function noGrad<Result>(body: () => Result): Result {
  const previous = enabled;
  enabled = false;
  try {
    const result = body();
    rejectPromise('noGrad', result);
    return result;
  } finally {
    enabled = previous;
  }
}
