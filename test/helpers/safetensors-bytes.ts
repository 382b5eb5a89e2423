/** An entry of a safetensors header. */
interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

/** The bytes of a safetensors file with any header and data, right or wrong. */
export function safetensorsBytes(
  header: unknown,
  data: Uint8Array | number = new Uint8Array(0),
): Uint8Array {
  const text = new TextEncoder().encode(
    typeof header === 'string' ? header : JSON.stringify(header),
  );
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

/** A file with one tensor `x`, whose elements fill a list. */
export function oneTensor(dtype: string, elements: ArrayBufferView, name = 'x'): Uint8Array {
  const { buffer, byteOffset, byteLength } = elements;
  const data = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  const length = (elements as unknown as { length: number }).length;
  const header = { [name]: { dtype, shape: [length], data_offsets: [0, byteLength] } };
  return safetensorsBytes(header, data);
}

/** What another program makes of a file that it reads and writes: its own order and padding. */
export function rewritten(
  file: Uint8Array,
  {
    change = (metadata) => metadata,
    indent,
  }: {
    readonly change?: (metadata: Record<string, string>) => Record<string, string> | undefined;
    readonly indent?: number;
  } = {},
): Uint8Array {
  const start = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const { __metadata__: metadata, ...entries } = JSON.parse(
    new TextDecoder().decode(file.subarray(8, start)),
  ) as Record<string, HeaderEntry> & { __metadata__: Record<string, string> };
  const sorted = Object.entries(entries).sort(([a], [b]) => (a < b ? 1 : -1));
  const parts: Uint8Array[] = [];
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: change({ ...metadata }) };
  for (const [name, entry] of sorted) {
    const [from, to] = entry.data_offsets;
    parts.push(file.subarray(start + from, start + to));
    header[name] = { ...entry, data_offsets: [end, end + to - from] };
    end += to - from;
  }
  const text = JSON.stringify(header, null, indent);
  return safetensorsBytes(text.padEnd(Math.ceil(text.length / 8) * 8), Buffer.concat(parts));
}
