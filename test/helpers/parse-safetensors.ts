import { type Tensor, tensor } from '@firelight/tensor';

/** The tensors of a safetensors file, and the strings of its metadata. */
export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

interface Entry {
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/**
 * Reads a golden file (float32 and int32 only).
 *
 * @see https://github.com/huggingface/safetensors, "Format"
 */
export function parseSafetensors(file: Uint8Array): SafetensorsFile {
  const headerLength = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const start = 8 + headerLength;
  const header = new TextDecoder().decode(file.subarray(8, start));
  const { __metadata__: metadata, ...entries } = JSON.parse(header);
  const tensors = Object.entries(entries as Record<string, Entry>).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const bytes = new Uint8Array(file.subarray(start + from, start + to)).buffer;
      const data = dtype === 'I32' ? new Int32Array(bytes) : new Float32Array(bytes);
      return [name, tensor(data, { shape })] as const;
    },
  );
  return { metadata: metadata ?? {}, tensors: Object.fromEntries(tensors) };
}
