import { ValueError } from '../core/errors.ts';
import { quote } from '../core/messages.ts';
import { crc32 } from './crc32.ts';

/** How an archive is written. */
export interface EncodeZipOptions {
  /** Each member's bytes begin at a multiple of so many, at least 4; else right behind its header. */
  readonly alignment?: number;
}

const [LOCAL_HEADER_SIZE, ENTRY_SIZE, END_SIZE] = [30, 46, 22];
const VERSION = 20;
const UTF8 = 0x800;
/** 1 January 1980, the first day that zip has, so that equal members give equal bytes. */
const DATE = 0x21;
/** The padding of PyTorch's files: an extra field FB, filled with Z. */
const [PADDING_FIELD, PADDING] = [0x4246, 0x5a];
/** What needs zip64, which is not written. */
const [MOST_MEMBERS, MOST_BYTES] = [0xfffe, 0xfffffffe];

interface Placed {
  readonly name: Uint8Array;
  readonly bytes: Uint8Array;
  readonly crc: number;
  readonly start: number;
  /** Bytes of the extra field before the member's own. */
  readonly padding: number;
}

/**
 * The bytes of a zip archive with these members, stored as they are, in order.
 *
 * @throws ValueError for names of more than 65535 bytes, and for members of more than 65534 or of 4 GiB
 * @see PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.4
 */
export function encodeZip(
  members: Iterable<readonly [name: string, bytes: Uint8Array]>,
  { alignment = 1 }: EncodeZipOptions = {},
): Uint8Array {
  const placed: Placed[] = [];
  let at = 0;
  for (const [name, bytes] of members) {
    const member = place(name, bytes, at, alignment);
    placed.push(member);
    at += LOCAL_HEADER_SIZE + member.name.length + member.padding + bytes.length;
  }
  const directoryStart = at;
  for (const { name } of placed) at += ENTRY_SIZE + name.length;
  if (placed.length > MOST_MEMBERS || at > MOST_BYTES) {
    throw new ValueError(
      `zip: ${placed.length} members of ${at} bytes are too many for one archive, at most ` +
        `${MOST_MEMBERS} and ${MOST_BYTES}; save safetensors, which has no such bound`,
    );
  }
  const file = new Uint8Array(at + END_SIZE);
  const view = new DataView(file.buffer);
  let entryStart = directoryStart;
  for (const member of placed) {
    writeLocalHeader(view, member);
    file.set(member.name, member.start + LOCAL_HEADER_SIZE);
    const extraStart = member.start + LOCAL_HEADER_SIZE + member.name.length;
    writePadding(view, extraStart, member.padding);
    file.set(member.bytes, extraStart + member.padding);
    writeEntry(view, entryStart, member);
    file.set(member.name, entryStart + ENTRY_SIZE);
    entryStart += ENTRY_SIZE + member.name.length;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, placed.length, true);
  view.setUint16(at + 10, placed.length, true);
  view.setUint32(at + 12, at - directoryStart, true);
  view.setUint32(at + 16, directoryStart, true);
  return file;
}

function place(name: string, bytes: Uint8Array, start: number, alignment: number): Placed {
  const encoded = new TextEncoder().encode(name);
  if (encoded.length > 0xffff) throw new ValueError(`zip: the name ${quote(name)} is too long`);
  const header = start + LOCAL_HEADER_SIZE + encoded.length;
  const gap = (alignment - (header % alignment)) % alignment;
  // A field takes four bytes to say what it is.
  const padding = gap > 0 && gap < 4 ? gap + alignment : gap;
  return { name: encoded, bytes, crc: crc32(bytes), start, padding };
}

/** What a local header and an entry of the directory have in common, from the version on. */
function writeCommon(view: DataView, at: number, { name, bytes, crc }: Placed): void {
  view.setUint16(at, VERSION, true);
  view.setUint16(at + 2, UTF8, true);
  view.setUint16(at + 8, DATE, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, bytes.length, true);
  view.setUint32(at + 18, bytes.length, true);
  view.setUint16(at + 22, name.length, true);
}

function writeLocalHeader(view: DataView, member: Placed): void {
  view.setUint32(member.start, 0x04034b50, true);
  writeCommon(view, member.start + 4, member);
  view.setUint16(member.start + 28, member.padding, true);
}

function writeEntry(view: DataView, at: number, member: Placed): void {
  view.setUint32(at, 0x02014b50, true);
  view.setUint16(at + 4, VERSION, true);
  writeCommon(view, at + 6, member);
  view.setUint32(at + 42, member.start, true);
}

function writePadding(view: DataView, at: number, padding: number): void {
  if (padding === 0) return;
  view.setUint16(at, PADDING_FIELD, true);
  view.setUint16(at + 2, padding - 4, true);
  new Uint8Array(view.buffer, at + 4, padding - 4).fill(PADDING);
}
