import { quote } from '../core/messages.ts';
import { type ByteSource, derivedSource, lastBytes, partOfSource } from './byte-source.ts';
import { crc32 } from './crc32.ts';
import { inflate } from './inflate.ts';
import { latin1 } from './latin1.ts';

/**
 * Zip archives, by the directory at their end: local headers may lack sizes, as those that PyTorch
 * writes do. Members are stored or deflated; zip64, comments, and bytes before the archive are read.
 *
 * @see PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5
 */

/** What the directory tells of a member. */
interface DirectoryEntry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Its bytes in the archive, and unpacked. */
  readonly packedSize: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly start: number;
}

const [LOCAL_HEADER, LOCAL_HEADER_SIZE] = [0x04034b50, 30];
const [ENTRY, ENTRY_SIZE] = [0x02014b50, 46];
const [END, END_SIZE] = [0x06054b50, 22];
const [END_64, END_64_SIZE] = [0x06064b50, 56];
const [LOCATOR_64, LOCATOR_64_SIZE] = [0x07064b50, 20];
const LONGEST_COMMENT = 0xffff;
/** In place of a number of 32 bits that stands in the zip64 field. */
const ELSEWHERE = 0xffffffff;
const ZIP64_FIELD = 1;
const [STORED, DEFLATED] = [0, 8];
/** Bits of the flags: encrypted, name in UTF-8. */
const [ENCRYPTED, UTF8] = [1, 0x800];

/** Members that are unpacked may have this many times the bytes of the archive, and `UNPACKED_BASE`. */
const UNPACKED_SHARE = 4;
const UNPACKED_BASE = 2 ** 26;

/** A member of an archive, whose bytes are checked against its CRC-32 when they are first read. */
export interface ZipMember {
  readonly name: string;
  /** Length of its bytes, unpacked. */
  readonly size: number;
  /** Its bytes: of a stored member only those that are asked for, once all were checked. */
  readonly source: ByteSource;
}

/** Whether a file begins as a zip archive does, with a member or with the end of an empty one. */
export function looksLikeZip(source: ByteSource): boolean {
  if (source.size < END_SIZE) return false;
  const start = viewOf(source.bytes(0, 4)).getUint32(0, true);
  return start === LOCAL_HEADER || start === END;
}

/**
 * The names of an archive's members, without reading any of them; of one that is cut off, the name with
 * which it begins.
 */
export function zipNames(source: ByteSource): string[] {
  if (!looksLikeZip(source)) return [];
  try {
    return readDirectory(source).map(({ name }) => name);
  } catch {
    if (source.size < LOCAL_HEADER_SIZE) return [];
    const length = viewOf(source.bytes(0, LOCAL_HEADER_SIZE)).getUint16(26, true);
    const end = Math.min(LOCAL_HEADER_SIZE + length, source.size);
    return [new TextDecoder().decode(source.bytes(LOCAL_HEADER_SIZE, end))];
  }
}

/**
 * The members of an archive by name. Deflated ones are unpacked at once, as that takes turns of the
 * event loop; stored ones are read when they are asked for.
 *
 * @throws FormatError, or the source's own error, if the archive is cut or damaged, a member is encrypted
 *   or packed in another way, or all of them would take more than 4 times the archive's size and 64 MiB
 */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipMember>> {
  const members = new Map<string, ZipMember>();
  const entries = readDirectory(source);
  const packed = entries.reduce((sum, { packedSize }) => sum + packedSize, 0);
  if (packed > source.size)
    throw source.error('its members overlap, so the zip archive is damaged');
  const unpacked = entries.reduce(
    (sum, { method, size }) => sum + (method === STORED ? 0 : size),
    0,
  );
  if (unpacked > UNPACKED_SHARE * source.size + UNPACKED_BASE) {
    throw source.error(
      `would unpack from ${source.size} to ${unpacked} bytes, as no file of numbers does; ` +
        'unpack it yourself if you trust it, and pack it again without compression',
    );
  }
  for (const entry of entries) {
    if (members.has(entry.name)) {
      throw source.error(`has two members ${quote(entry.name)}, so nobody can tell which counts`);
    }
    members.set(entry.name, await openMember(source, entry));
  }
  return members;
}

async function openMember(source: ByteSource, entry: DirectoryEntry): Promise<ZipMember> {
  const { name, flags, method, size, packedSize } = entry;
  const part = `member ${quote(name)}`;
  const refuse = (problem: string, options?: ErrorOptions): Error =>
    source.error(`${part}: ${problem}`, options);
  if ((flags & ENCRYPTED) !== 0) throw refuse('is encrypted; unpack it with its password');
  if (method !== STORED && method !== DEFLATED) {
    throw refuse(`is packed by method ${method}; pack it anew, stored or deflated`);
  }
  const start = dataStart(source, entry, refuse);
  const packed = partOfSource(source, part, start, start + packedSize);
  if (method === STORED) {
    if (size !== packedSize) throw refuse(`has ${packedSize} bytes where ${size} should be`);
    return { name, size, source: checkedSource(source, part, packed, entry) };
  }
  const bytes = await inflate([packed.bytes(0, packedSize)], {
    format: 'deflate-raw',
    length: size,
    error: refuse,
  });
  checkSum(bytes, entry, packed);
  const unpacked = derivedSource(source, part, size, (from, to) => bytes.subarray(from, to));
  return { name, size, source: unpacked };
}

/** Where a member's bytes begin: behind its local header, whose extra field may be another. */
function dataStart(
  source: ByteSource,
  { start, packedSize }: DirectoryEntry,
  refuse: (problem: string) => Error,
): number {
  if (start + LOCAL_HEADER_SIZE + packedSize > source.size) {
    throw refuse(`lies beyond the end of the file; it is cut off or damaged`);
  }
  const header = viewOf(source.bytes(start, start + LOCAL_HEADER_SIZE));
  if (header.getUint32(0, true) !== LOCAL_HEADER) {
    throw refuse(`has no header at byte ${start}; the zip archive is damaged`);
  }
  return start + LOCAL_HEADER_SIZE + header.getUint16(26, true) + header.getUint16(28, true);
}

/** A stored member, all of which is checked before any of it is given out. */
function checkedSource(
  source: ByteSource,
  part: string,
  packed: ByteSource,
  entry: DirectoryEntry,
): ByteSource {
  // PyTorch writes none for bytes that are filled in later (pytorch/pytorch#125184): 0 in its place.
  let isChecked = entry.crc === 0;
  return derivedSource(source, part, packed.size, (start, end) => {
    if (isChecked) return packed.bytes(start, end);
    const all = packed.bytes(0, packed.size);
    checkSum(all, entry, packed);
    isChecked = true;
    return all.subarray(start, end);
  });
}

function checkSum(bytes: Uint8Array, { crc }: DirectoryEntry, source: ByteSource): void {
  if (crc32(bytes) !== crc) {
    throw source.error('its bytes do not have its CRC-32, so it is damaged; fetch the file again');
  }
}

/** All entries of the directory at the end of an archive. */
function readDirectory(source: ByteSource): DirectoryEntry[] {
  const { count, bytes, shift } = findDirectory(source);
  const view = viewOf(bytes);
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_SIZE > bytes.length || view.getUint32(at, true) !== ENTRY) {
      throw source.error(`entry ${i} of the zip's directory is damaged; fetch the file again`);
    }
    const end = at + ENTRY_SIZE + lengthsAt(view, at).reduce((sum, length) => sum + length);
    if (end > bytes.length) {
      throw source.error(`entry ${i} of the zip's directory is cut off; fetch the file again`);
    }
    entries.push(entryAt(view, at, shift));
    at = end;
  }
  return entries;
}

/** The lengths of an entry's name, extra fields and comment. */
const lengthsAt = (view: DataView, at: number): number[] =>
  [28, 30, 32].map((offset) => view.getUint16(at + offset, true));

function entryAt(view: DataView, at: number, shift: number): DirectoryEntry {
  const [nameLength, extraLength] = lengthsAt(view, at);
  const flags = view.getUint16(at + 8, true);
  const name = new Uint8Array(view.buffer, view.byteOffset + at + ENTRY_SIZE, nameLength);
  const extra = at + ENTRY_SIZE + nameLength;
  const [size, packedSize, start] = wideNumbers(view, extra, extra + extraLength, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]);
  return {
    name: decodeName(name, flags),
    flags,
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packedSize,
    size,
    start: start + shift,
  };
}

/** Numbers of 32 bits, of which those that are too large for them stand in the zip64 field, in order. */
function wideNumbers(view: DataView, from: number, to: number, numbers: number[]): number[] {
  if (!numbers.includes(ELSEWHERE)) return numbers;
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== ZIP64_FIELD) continue;
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), to);
    let next = at + 4;
    return numbers.map((number) => {
      if (number !== ELSEWHERE || next + 8 > end) return number;
      next += 8;
      return Number(view.getBigUint64(next - 8, true));
    });
  }
  return numbers;
}

/** Names are UTF-8 where the flag says so, and mostly else; what is not gets a character for each byte. */
function decodeName(bytes: Uint8Array, flags: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: (flags & UTF8) === 0 }).decode(bytes);
  } catch {
    return latin1(bytes);
  }
}

/** The directory's bytes, how many entries it has, and how many bytes stand before the archive. */
function findDirectory(source: ByteSource): {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly shift: number;
} {
  const tail = lastBytes(source, END_SIZE + LONGEST_COMMENT);
  const tailStart = source.size - tail.length;
  const view = viewOf(tail);
  const isEnd = (at: number): boolean =>
    view.getUint32(at, true) === END &&
    at + END_SIZE + view.getUint16(at + 20, true) <= tail.length;
  let at = tail.length - END_SIZE;
  while (at >= 0 && !isEnd(at)) at--;
  if (at < 0) {
    throw source.error('is a zip archive without its directory, so it is cut off; fetch it again');
  }
  const wide = findWideEnd(source, tailStart + at);
  const [count, size, offset] = wide?.numbers ?? [
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
  ];
  const end = wide?.start ?? tailStart + at;
  const shift = end - size - offset;
  if (shift < 0 || count * ENTRY_SIZE > size) {
    throw source.error('the end of the zip archive is damaged, or it is cut off; fetch it again');
  }
  return { count, bytes: source.bytes(end - size, end), shift };
}

/** Where the zip64 end of an archive begins and what it says, if the archive has one. */
function findWideEnd(
  source: ByteSource,
  end: number,
): { readonly start: number; readonly numbers: readonly number[] } | null {
  const start = end - LOCATOR_64_SIZE - END_64_SIZE;
  if (start < 0) return null;
  const view = viewOf(source.bytes(start, end));
  const hasLocator = view.getUint32(END_64_SIZE, true) === LOCATOR_64;
  if (!hasLocator || view.getUint32(0, true) !== END_64) return null;
  return { start, numbers: [32, 40, 48].map((offset) => Number(view.getBigUint64(offset, true))) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
