import { type ByteSource, bytesSource, fileSource } from '@firelight/tensor/formats';
import { CheckpointError } from '../core/errors.ts';

/** A file: its path, in Node; its bytes; or a browser's file, such as one that was dropped. */
export type FileLike = string | Uint8Array | ArrayBuffer | BrowserFile;

/** A file of a browser (`File`, `Blob`), by what is used of it. */
export interface BrowserFile {
  readonly name?: string;
  /** All of its bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** What errors call a file by default. */
export function nameOf(file: FileLike): string {
  if (typeof file === 'string') return file;
  return 'name' in file && typeof file.name === 'string' ? file.name : 'checkpoint';
}

/** The bytes of a file; its errors are of the class `CheckpointError`. */
export async function openSource(file: FileLike, name = nameOf(file)): Promise<ByteSource> {
  const error = CheckpointError;
  if (typeof file === 'string') return fileSource(file, { error });
  return bytesSource(await bytesOf(file), { name, error });
}

async function bytesOf(file: Exclude<FileLike, string>): Promise<Uint8Array> {
  if (file instanceof Uint8Array) return file;
  return new Uint8Array('arrayBuffer' in file ? await file.arrayBuffer() : file);
}
