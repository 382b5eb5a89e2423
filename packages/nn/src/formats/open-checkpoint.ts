import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { CheckpointFormat } from '../checkpoint/format.ts';
import { formatOf } from '../checkpoint/formats.ts';
import { COMPACT } from './compact/compact-format.ts';
import { SONGHAN } from './deep-compression/songhan-format.ts';
import { MINDSPORE } from './mindspore/mindspore-format.ts';
import { NPY, NPZ } from './numpy.ts';
import { ONNX } from './onnx/onnx-format.ts';
import { type FileLike, nameOf, openSource } from './open-source.ts';
import { PYTORCH } from './pytorch/format.ts';

/** In the order in which they are asked whether a file is theirs; safetensors is asked first. */
export const CHECKPOINT_FORMATS: readonly CheckpointFormat[] = [
  COMPACT,
  PYTORCH,
  NPZ,
  NPY,
  MINDSPORE,
  ONNX,
  SONGHAN,
];

/** How a file is opened. */
export interface OpenOptions {
  /** What errors call it; by default its path, or the name that a browser's file has. */
  readonly name?: string;
}

/**
 * Reads a checkpoint of any program whose format is known here, or was registered with
 * `registerCheckpointFormat`, as its bytes tell. Nothing in the file is run, and a tensor is decoded
 * when it is first asked for.
 *
 * @param file a path, in Node; the bytes of a file, which must stay as they are while tensors are asked
 *   for; or a browser's file, such as one that was dropped
 * @throws CheckpointError if it cannot be read, is damaged, or holds what is refused, with the remedy
 */
export async function openCheckpoint(
  file: FileLike,
  { name = nameOf(file) }: OpenOptions = {},
): Promise<Checkpoint> {
  const source = await openSource(file, name);
  return { ...(await formatOf(source, CHECKPOINT_FORMATS).read(source)), file: name };
}
