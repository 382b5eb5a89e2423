import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sharedRoot = fileURLToPath(new URL('../../../shared/', import.meta.url));

/**
 * The path of a file or folder under `../shared` beside the repository, or null where this machine
 * has none; use it with `test.skipIf`.
 */
export function sharedPath(...segments: readonly string[]): string | null {
  const path = sharedRoot + segments.join('/');
  return existsSync(path) ? path : null;
}
