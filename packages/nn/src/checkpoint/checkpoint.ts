import { FirelightError } from '@firelight/tensor';
import { printablePath, systemReason } from '@firelight/tensor/extend';
import { type ByteSource, bytesSource, fileSource } from '@firelight/tensor/formats';
import { CheckpointError } from '../core/errors.ts';
import { Module, type StateDict } from '../module/module.ts';
import { writeFileAtomic } from './atomic-write.ts';
import { formatNamed, formatOf, formatOfPath, withExtension } from './formats.ts';
import { SAFETENSORS } from './safetensors-format.ts';
import type { FileContent, Snapshot } from './snapshot.ts';

/** What a checkpoint file holds, and which file it was. */
export interface Checkpoint extends FileContent {
  readonly file: string;
}

/** How a checkpoint is written. */
export interface SaveOptions {
  /**
   * The name of the format to write, `'safetensors'` or that of one registered with
   * `registerCheckpointFormat`; by default the one whose extension the path has, or safetensors.
   */
  readonly format?: string;
}

/**
 * The bytes of a checkpoint file, for browsers, which have no files: by default safetensors with a
 * checksum, and with `format: 'pt'`, which other programs ask for. In the metadata of safetensors,
 * `format` and names that begin with `firelight.` are the file's own.
 *
 * @throws ValueError if a name or string cannot be in a file, or there is no such format to write
 */
export async function encodeCheckpoint(
  snapshot: Snapshot,
  { format = SAFETENSORS.name }: SaveOptions = {},
): Promise<Uint8Array> {
  return formatNamed('encodeCheckpoint', format).write(snapshot);
}

/**
 * Reads the bytes of a checkpoint file: safetensors, ours or another program's, or of a format of
 * yours, as the bytes tell. Of safetensors, tensors get the dtype of the file; integers of 64 bits become
 * int64, or float64 where one is beyond ±(2⁵³ − 1), and those of 16 bits with a sign int32. Floats of 16
 * bits and int64 are only stored: networks convert what they load, and `cast` does what is computed with.
 *
 * A tensor is decoded when it is first asked for. So one with a dtype that we lack, or an integer that
 * not even float64 holds, throws its CheckpointError there, and disturbs nobody who does not need it.
 *
 * @param bytes must stay as they are while tensors are asked for
 * @param file what the errors call it
 * @throws CheckpointError if it is damaged, of another kind, or from a newer Firelight
 */
export async function decodeCheckpoint(bytes: Uint8Array, file: string): Promise<Checkpoint> {
  return readCheckpoint(bytesSource(bytes, { name: file, error: CheckpointError }), file);
}

/**
 * Writes a network's tensors, or a whole snapshot of a training, to a file. The file is replaced as a
 * whole or not at all; of several savings at once, the last one stays.
 *
 * @param path its extension chooses the format, unless `options` do; one that has none of the
 *   format's, `.safetensors` by default, gets it
 * @param metadata strings to keep with the tensors
 * @returns the path of the file
 * @throws CheckpointError if the file cannot be written; what was there is left as it was. ValueError
 *   if there is no such format to write
 */
export async function saveCheckpoint(
  source: Module | Snapshot | StateDict,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
  options: SaveOptions = {},
): Promise<string> {
  const format =
    options.format === undefined
      ? formatOfPath(path)
      : formatNamed('saveCheckpoint', options.format);
  const file = withExtension(path, format);
  const { tensors, metadata: own } = toSnapshot(source);
  const snapshot = { tensors, metadata: { ...own, ...metadata } };
  await saveBytes(file, encodeCheckpoint(snapshot, { format: format.name }));
  return file;
}

/**
 * Replaces a file by these bytes as a whole.
 *
 * @throws CheckpointError with the reason, and what made the bytes fail
 */
export async function saveBytes(file: string, bytes: Promise<Uint8Array>): Promise<void> {
  try {
    await writeFileAtomic(file, bytes);
  } catch (error) {
    if (error instanceof FirelightError) throw error; // The state cannot be written to any file.
    throw new CheckpointError(
      `${printablePath(file)}: cannot be saved: ${systemReason(error)}; what was saved before is whole, ` +
        'so make room or choose another place',
      { cause: error },
    );
  }
}

/** What is to be saved of a network, or of tensors by name. */
export function toSnapshot(source: Module | Snapshot | StateDict): Snapshot {
  if (source instanceof Module) return { tensors: source.stateDict(), metadata: {} };
  if (isSnapshot(source)) return source;
  return { tensors: source, metadata: {} };
}

function isSnapshot(source: Snapshot | StateDict): source is Snapshot {
  const { metadata } = source as Snapshot;
  return typeof metadata === 'object' && metadata !== null && !('shape' in metadata);
}

/**
 * Reads a checkpoint file. One of more than 64 MiB is not read at once, but each tensor when it is first
 * asked for, and must stay as it is until then; only where it is one of ours all of its bytes are read
 * once, for the checksum.
 *
 * @throws CheckpointError if it cannot be read, is damaged or is from a newer Firelight
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  return readCheckpoint(await fileSource(path, { error: CheckpointError }), path);
}

async function readCheckpoint(source: ByteSource, file: string): Promise<Checkpoint> {
  return { ...(await formatOf(source).read(source)), file };
}
