import { inject } from 'vitest';

const sharedUrl = inject('sharedUrl');

/**
 * The bytes of a file under `../shared` beside the repository, or null where this machine has none;
 * use it with `test.skipIf`.
 *
 * @throws Error if the test server refuses to hand the file to the page
 */
export async function sharedFile(...segments: readonly string[]): Promise<Uint8Array | null> {
  if (sharedUrl === null) return null;
  const path = segments.join('/');
  const response = await fetch(`${sharedUrl}/${path}`);
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`../shared/${path}: the test server says ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
