import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '@firelight/tensor';

/**
 * Reads a NumPy file of float32 in C order, version 1.0.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpy(path: string): Tensor {
  const file = readFileSync(path);
  const start = 10 + file.readUInt16LE(8);
  const header = file.toString('latin1', 10, start);
  if (!header.includes("'<f4'") || !header.includes("'fortran_order': False")) {
    throw new Error(`${path}: not float32 in C order: ${header}`);
  }
  const lengths = header.match(/'shape': \(([^)]*)\)/)?.[1] ?? '';
  const shape = lengths.split(',').flatMap((length) => (length.trim() ? [Number(length)] : []));
  return tensor(new Float32Array(new Uint8Array(file.subarray(start)).buffer), { shape });
}
