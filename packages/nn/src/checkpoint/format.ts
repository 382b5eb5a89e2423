import type { FileContent, Snapshot } from './snapshot.ts';

/**
 * A kind of checkpoint file. It works on bytes alone, so that it does in browsers, which have no
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
   * Whether bytes, of any kind and number, look like a file of this format, whole or not: a few at
   * the beginning tell, or at the end, where a zip names its members. It does not throw.
   */
  recognise(file: Uint8Array): boolean;

  /**
   * Reads a file that was recognised. Names and shapes are checked at once; a tensor may be decoded
   * when it is first asked for, by a getter of `tensors` that stands under its name.
   *
   * @param file stays as it is while tensors are asked for
   * @param source what errors call the file; their messages begin with it
   * @throws CheckpointError if it is cut or damaged
   */
  read(file: Uint8Array, source: string): FileContent | Promise<FileContent>;

  /**
   * The bytes of a file; left out by a format that can only be read. Tensors are read before the
   * call returns, as the caller may change them afterwards.
   *
   * @throws ValueError if a name or string cannot be in a file
   */
  write?(snapshot: Snapshot): Uint8Array | Promise<Uint8Array>;
}
