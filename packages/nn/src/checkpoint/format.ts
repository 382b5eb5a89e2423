import type { ByteSource } from '@firelight/tensor/formats';
import type { FileContent, Snapshot } from './snapshot.ts';

/**
 * A kind of checkpoint file. It works on a source of bytes, so that it does in browsers, which have no
 * files, what it does in Node; opening files, and replacing them as a whole, is done for it.
 *
 * @see registerCheckpointFormat
 */
export interface CheckpointFormat {
  /** What `format: …` calls it, such as `'safetensors'`. */
  readonly name: string;
  /** Ends of its files' names, each with its dot; a file saved without one gets the first. */
  readonly extensions: readonly string[];

  /**
   * Whether a file, of any kind and size, looks like one of this format, whole or not: a few bytes at
   * the beginning tell (`firstBytes`), or at the end, where a zip names its members. It throws for
   * no content.
   */
  recognise(source: ByteSource): boolean;

  /**
   * Reads a file that was recognised. Names and shapes are checked at once; a tensor is read and
   * decoded when it is first asked for (`lazyTensors`).
   *
   * @param source stays as it is while tensors are asked for; `source.error` makes the errors
   * @throws CheckpointError if it is cut or damaged
   */
  read(source: ByteSource): FileContent | Promise<FileContent>;

  /**
   * The bytes of a file; left out by a format that can only be read. Tensors are read before the
   * call returns, as the caller may change them afterwards.
   *
   * @throws ValueError if a name or string cannot be in a file
   */
  write?(snapshot: Snapshot): Uint8Array | Promise<Uint8Array>;
}
