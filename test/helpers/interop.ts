import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Tensor } from '@firelight/tensor';
import { elementBytes } from '@firelight/tensor/formats';
import { sharedPath } from './shared.ts';

/** Whether `../shared/interop`, files of other programs, is there; use it with `test.skipIf`. */
export const hasInterop = sharedPath('interop') !== null;

/** The path of a file of another program. */
export function interopPath(name: string): string {
  const path = sharedPath('interop', name);
  if (path === null) throw new Error(`there is no ../shared/interop/${name}`);
  return path;
}

/** What a right reader of a file returns, as its own program said. */
export function expectedOf(name: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(interopPath('expected.json'), 'utf8');
  return JSON.parse(text.replaceAll(/\bNaN\b/g, 'null'))[name];
}

/** The first digits of the SHA-256 of elements, little-endian and in C order. */
export function digestOf({ array, dtype }: Tensor): string {
  return createHash('sha256').update(elementBytes(array.data, dtype)).digest('hex').slice(0, 16);
}

/** Debian's Python with NumPy and PyTorch. */
export const PYTHON = '/usr/bin/python3';
