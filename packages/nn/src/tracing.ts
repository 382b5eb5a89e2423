let depth = 0;

/**
 * Whether modules must call the modules inside them one by one, so that each can be watched, instead
 * of computing several at once. See `trace.ts`.
 */
export function isTracing(): boolean {
  return depth > 0;
}

export function whileTracing<Result>(body: () => Result): Result {
  depth++;
  try {
    return body();
  } finally {
    depth--;
  }
}
