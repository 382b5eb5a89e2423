import { assign, formatShape, type Tensor } from '@firelight/tensor';
import { CheckpointError } from '../errors.ts';
import { Module, type StateDict } from '../module.ts';
import type { Snapshot } from '../training/snapshot.ts';
import { writeFileAtomic } from './atomic-write.ts';
import { NO_CHECKSUM, seal, verify } from './checksum.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** What a checkpoint file holds, and which file it was. */
export interface Checkpoint extends Snapshot {
  readonly file: string;
}

const EXTENSION = '.safetensors';
const FORMAT = { format: 'firelight', formatVersion: '1' } as const;

/** The bytes of a checkpoint file: safetensors with a checksum; for browsers, which have no files. */
export async function encodeCheckpoint({ tensors, metadata }: Snapshot): Promise<Uint8Array> {
  return seal(encodeSafetensors({ tensors, metadata: { ...FORMAT, ...NO_CHECKSUM, ...metadata } }));
}

/**
 * Reads the bytes of a checkpoint file, ours or another program's safetensors.
 *
 * @param file what the errors call it
 * @throws CheckpointError if it is damaged or from a newer Firelight
 */
export async function decodeCheckpoint(bytes: Uint8Array, file: string): Promise<Checkpoint> {
  const snapshot = decodeSafetensors(bytes, { source: file });
  const hasChecksum = await verify(bytes, file);
  const { format, formatVersion } = snapshot.metadata;
  if (format === FORMAT.format && !hasChecksum) {
    throw new CheckpointError(`${file}: lacks its checksum, so the file was damaged`);
  }
  if (format === FORMAT.format && formatVersion !== FORMAT.formatVersion) {
    throw new CheckpointError(
      `${file}: is in version ${formatVersion} of the format, this Firelight reads version ` +
        `${FORMAT.formatVersion}; use the version of Firelight that wrote it`,
    );
  }
  return { ...snapshot, file };
}

/**
 * Writes a network's tensors, or a whole snapshot of a training, to a safetensors file. The file is
 * replaced as a whole or not at all.
 *
 * @param path gets the extension `.safetensors` if it has another or none
 * @param metadata strings to keep with the tensors
 * @returns the path of the file
 */
export async function saveCheckpoint(
  source: Module | Snapshot | StateDict,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const file = path.endsWith(EXTENSION) ? path : path + EXTENSION;
  const { tensors, metadata: own } = toSnapshot(source);
  await writeFileAtomic(
    file,
    await encodeCheckpoint({ tensors, metadata: { ...own, ...metadata } }),
  );
  return file;
}

function toSnapshot(source: Module | Snapshot | StateDict): Snapshot {
  if (source instanceof Module) return { tensors: source.stateDict(), metadata: {} };
  if (isSnapshot(source)) return source;
  return { tensors: source, metadata: {} };
}

function isSnapshot(source: Snapshot | StateDict): source is Snapshot {
  const { metadata } = source as Snapshot;
  return typeof metadata === 'object' && !('shape' in metadata);
}

/**
 * Reads a checkpoint file.
 *
 * @throws CheckpointError if it cannot be read, is damaged or is from a newer Firelight
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const { readFile } = await import('node:fs/promises');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw new CheckpointError(`${path}: ${why}; pass the path of a .safetensors file`);
  }
  return decodeCheckpoint(bytes, path);
}

/**
 * Copies the tensors of a checkpoint into the parameters and buffers of the same names; what a
 * training keeps beside them (moments, learning rates) is left alone. Nothing is changed if
 * anything does not fit.
 *
 * Where no name fits but all would without a common beginning (`network.features…`), that is
 * ignored.
 *
 * @param options `strict: false` lets tensors of the network be missing in the checkpoint
 * @returns names of the network that were not loaded
 * @throws CheckpointError with the file, the tensor, and both shapes or dtypes
 * @see MindSpore, `load_param_into_net`
 */
export function loadParamIntoNet(
  network: Module,
  checkpoint: Checkpoint | StateDict,
  { strict = true }: { readonly strict?: boolean } = {},
): string[] {
  const isFile = typeof (checkpoint as Checkpoint).file === 'string';
  const file = isFile ? (checkpoint as Checkpoint).file : 'loadParamIntoNet';
  const tensors = isFile ? (checkpoint as Checkpoint).tensors : (checkpoint as StateDict);
  const own = Object.entries(network.stateDict());
  const prefix = commonPrefix(
    own.map(([name]) => name),
    Object.keys(tensors),
  );
  const missing = own.map(([name]) => name).filter((name) => !(prefix + name in tensors));
  if (missing.length === own.length) {
    throw new CheckpointError(
      `${file}: has no tensor of this network (it has ${listSome(Object.keys(tensors))}; ` +
        `the network ${listSome(missing)}); is it of another network?`,
    );
  }
  if (strict && missing.length > 0) {
    throw new CheckpointError(
      `${file}: lacks ${missing.length} tensors of the network: ${listSome(missing)}; ` +
        'build the network with the options it was saved with, or load with strict: false',
    );
  }
  const pairs = own
    .filter(([name]) => prefix + name in tensors)
    .map(([name, target]) => ({ name, target, source: tensors[prefix + name] }));
  for (const { name, target, source } of pairs) checkFit(file, name, target, source);
  for (const { target, source } of pairs) assign(target, source);
  return missing;
}

/** What to put before the network's names to find them; '' if they are there as they are. */
function commonPrefix(own: readonly string[], found: readonly string[]): string {
  if (own.length === 0 || own.some((name) => found.includes(name))) return '';
  const candidates = found.filter((name) => name.endsWith(`.${own[0]}`));
  const prefixes = candidates.map((name) => name.slice(0, -own[0].length));
  const names = new Set(found);
  return prefixes.find((prefix) => own.every((name) => names.has(prefix + name))) ?? '';
}

function checkFit(file: string, name: string, target: Tensor, source: Tensor): void {
  const describe = ({ dtype, shape }: Tensor): string => `${dtype} ${formatShape(shape)}`;
  if (describe(source) !== describe(target)) {
    throw new CheckpointError(
      `${file}: tensor '${name}' is ${describe(source)}, the network's is ${describe(target)}; ` +
        'build the network with the options it was saved with',
    );
  }
}

function listSome(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return names.slice(0, 3).join(', ') + more;
}
