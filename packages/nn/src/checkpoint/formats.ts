import { ValueError } from '@firelight/tensor';
import { expectThat, quote } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import type { CheckpointFormat } from './format.ts';
import { SAFETENSORS } from './safetensors-format.ts';

type WritableFormat = CheckpointFormat & Required<Pick<CheckpointFormat, 'write'>>;

/** In the order in which they are asked whether a file is theirs. */
const formats: CheckpointFormat[] = [SAFETENSORS];

/**
 * Adds a kind of file that `loadCheckpoint` recognises and, if it has `write`, `saveCheckpoint` writes.
 * Formats are asked in the order of their registration, safetensors first; a file that none
 * recognises is refused.
 *
 * @throws ValueError if the name or an extension is taken or cannot be
 */
export function registerCheckpointFormat(format: CheckpointFormat): void {
  const op = 'registerCheckpointFormat';
  const { name, extensions } = format;
  if (formats.includes(format)) return;
  const isFree = name !== '' && formats.every((other) => other.name !== name);
  expectThat(isFree, op, 'name', 'one that is not empty and not taken', name);
  const isEnd = (end: unknown): boolean => typeof end === 'string' && /^\../.test(end);
  const areEnds = Array.isArray(extensions) && extensions.length > 0 && extensions.every(isEnd);
  expectThat(areEnds, op, 'extensions', "a list of some that begin with '.'", extensions);
  const taken = extensions.find((end) => formats.some((other) => other.extensions.includes(end)));
  expectThat(taken === undefined, op, 'extensions', 'such as are not taken', extensions);
  formats.push(format);
}

/**
 * Whose file it is; formats that are registered are asked before `others`. One that nobody recognises
 * goes to safetensors, which says what is wrong.
 */
export function formatOf(
  source: ByteSource,
  others: readonly CheckpointFormat[] = [],
): CheckpointFormat {
  return [...formats, ...others].find((format) => format.recognise(source)) ?? SAFETENSORS;
}

/**
 * @param op begins messages
 * @throws ValueError if there is no format of this name, or one that can only be read
 */
export function formatNamed(op: string, name: string): WritableFormat {
  const found = formats.find((format) => format.name === name);
  if (found !== undefined && isWritable(found)) return found;
  const known = formats.filter(isWritable).map((format) => quote(format.name));
  throw new ValueError(
    `${op}: ${found === undefined ? 'there is no' : 'nothing can be written in the'} checkpoint ` +
      `format ${quote(name)}; use ${known.join(', ')}`,
  );
}

/** The format whose extension a path has; safetensors where there is none that could be written. */
export function formatOfPath(path: string): WritableFormat {
  return formats.filter(isWritable).find((format) => hasExtension(path, format)) ?? SAFETENSORS;
}

/** The path with an extension of the format, the first one if it has none. */
export function withExtension(path: string, format: CheckpointFormat): string {
  return hasExtension(path, format) ? path : path + format.extensions[0];
}

function hasExtension(path: string, { extensions }: CheckpointFormat): boolean {
  return extensions.some((end) => path.endsWith(end));
}

function isWritable(format: CheckpointFormat): format is WritableFormat {
  return format.write !== undefined;
}
