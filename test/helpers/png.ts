import { crc32, deflateSync } from 'node:zlib';

/** One chunk with its length and checksum. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), data.length + 8);
  return chunk;
}

/** What `IHDR` holds; the defaults are RGB of 8 bits. */
export interface HeaderFields {
  readonly width: number;
  readonly height: number;
  readonly depth?: number;
  readonly colorType?: number;
  readonly compression?: number;
  readonly filter?: number;
  readonly interlace?: number;
}

export function pngHeader(fields: HeaderFields): Uint8Array {
  const { width, height, depth = 8, colorType = 2 } = fields;
  const { compression = 0, filter = 0, interlace = 0 } = fields;
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width);
  data.writeUInt32BE(height, 4);
  data.set([depth, colorType, compression, filter, interlace], 8);
  return pngChunk('IHDR', data);
}

/** A PNG of the given chunks, with the signature before and `IEND` after them. */
export function pngOf(...chunks: readonly Uint8Array[]): Uint8Array {
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([signature, ...chunks, pngChunk('IEND', new Uint8Array(0))]);
}

/** `IDAT` of rows that have the byte of their filter in front. */
export const pngData = (rows: Uint8Array): Uint8Array => pngChunk('IDAT', deflateSync(rows));

/** A PNG of `[height, width, 3]` bytes. */
export function encodePng({
  width,
  height,
  data,
}: {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}): Uint8Array {
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.concat([Uint8Array.of(0), data.subarray(y * width * 3, (y + 1) * width * 3)]),
  );
  return pngOf(pngHeader({ width, height }), pngData(Buffer.concat(rows)));
}

/** The chunks of a sound PNG without the signature and `IEND`. */
export function chunksOf(png: Uint8Array): { type: string; data: Uint8Array }[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: { type: string; data: Uint8Array }[] = [];
  for (let at = 8; ; ) {
    const length = view.getUint32(at);
    const type = Buffer.from(png.subarray(at + 4, at + 8)).toString('latin1');
    if (type === 'IEND') return chunks;
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
}
