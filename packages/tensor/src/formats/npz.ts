import type { ByteSource } from './byte-source.ts';
import { lazyTensors, type NamedTensors } from './lazy-tensors.ts';
import { decodeNpy, encodeNpy } from './npy.ts';
import { encodeZip } from './write-zip.ts';
import { readZip, zipNames } from './zip.ts';

const EXTENSION = '.npy';

/** Whether a file is a zip archive that holds arrays of NumPy. */
export function looksLikeNpz(source: ByteSource): boolean {
  return zipNames(source).some((name) => name.endsWith(EXTENSION));
}

/**
 * Reads the arrays of an archive of NumPy (`.npz`, of `savez` or `savez_compressed`) by their names. An
 * array is read, checked and decoded when it is first asked for, as by `decodeNpy`.
 *
 * @throws FormatError, or the source's own error, if it is cut or damaged
 */
export async function decodeNpz(source: ByteSource): Promise<NamedTensors> {
  const entries: Record<string, ByteSource> = Object.create(null);
  for (const [name, member] of await readZip(source)) {
    // What else is in it, NumPy gives as bytes.
    if (name.endsWith(EXTENSION)) entries[name.slice(0, -EXTENSION.length)] = member.source;
  }
  return lazyTensors(entries, (_, member) => decodeNpy(member));
}

/**
 * The bytes of an archive of NumPy (`.npz`) with these arrays, not compressed.
 *
 * @throws DTypeError for bfloat16, which NumPy lacks; ValueError for more than 65534 arrays or 4 GiB
 */
export function encodeNpz(tensors: NamedTensors): Uint8Array {
  return encodeZip(
    Object.entries(tensors).map(([name, tensor]) => [name + EXTENSION, encodeNpy(tensor)]),
  );
}
