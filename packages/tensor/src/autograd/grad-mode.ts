import { ValueError } from '../core/errors.ts';

let enabled = true;
let repeating = false;

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

function withRecording<Result>(mode: boolean, body: () => Result): Result {
  const previous = enabled;
  enabled = mode;
  try {
    return body();
  } finally {
    enabled = previous;
  }
}

/** Runs `body`, which is not async, with recording, also inside of `noGrad`. */
export function withGrad<Result>(body: () => Result): Result {
  return withRecording(true, body);
}

/**
 * Runs `body` without recording: nothing inside it can be differentiated, and no activations are
 * kept for it.
 *
 * @throws ValueError if `body` is async
 */
export function noGrad<Result>(body: () => Result): Result {
  return withRecording(false, () => {
    const result = body();
    rejectPromise('noGrad', result);
    return result;
  });
}

/** Runs `body`, which computes what was computed before once more: statistics are not to count it again. */
export function asRepetition<Result>(body: () => Result): Result {
  const previous = repeating;
  repeating = true;
  try {
    return body();
  } finally {
    repeating = previous;
  }
}

/** Whether what is computed now was computed before; see `asRepetition`. */
export function isRepetition(): boolean {
  return repeating;
}
