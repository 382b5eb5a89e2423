import { crc32, deflateRawSync } from 'node:zlib';

/** A member of an archive, with anything in it right or wrong. */
export interface FreeMember {
  readonly name: string | Uint8Array;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** The size that it is said to have. */
  readonly size?: number;
  /** The bytes in the archive; those that the method makes of the content, by default. */
  readonly packed?: Uint8Array;
  /** Where it is said to begin. */
  readonly start?: number;
  /** Whether the sizes and the checksum stand in the local header, or behind the bytes. */
  readonly localSizes?: boolean;
  /** Whether the sizes stand in zip64 fields. */
  readonly wide?: boolean;
  readonly localExtra?: string;
  /** Whether only the directory has it. */
  readonly hidden?: boolean;
}

/** What stands around the members. */
interface FreeArchive {
  readonly before?: string;
  readonly comment?: string;
  readonly wideEnd?: boolean;
  readonly count?: number;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
/** Numbers of 2, 4 or 8 bytes, little-endian. */
function numbers(...fields: readonly (readonly [bytes: number, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(8);
      field.writeBigUInt64LE(BigInt(value));
      return field.subarray(0, bytes);
    }),
  );
}

/** The bytes of a zip archive, as any program may write it. */
export function freeZip(
  members: readonly FreeMember[],
  { before = '', comment = '', wideEnd = false, count = members.length }: FreeArchive = {},
): Uint8Array {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  for (const member of members) {
    const { content, method = 0, flags = 0, wide = false, localSizes = true } = member;
    const name = typeof member.name === 'string' ? Buffer.from(member.name) : member.name;
    const packed = member.packed ?? (method === 8 ? deflateRawSync(content) : content);
    const { size = content.length, start = at, crc = crc32(content) } = member;
    const common = (isLocal: boolean, sizes: readonly number[], extra: Buffer): Buffer =>
      Buffer.concat([
        ...[
          numbers([2, 20], [2, flags], [2, method], [4, 0], [4, isLocal && !localSizes ? 0 : crc]),
        ],
        numbers(...sizes.map((value): [number, number] => [4, value])),
        numbers([2, name.length], [2, extra.length]),
      ]);
    const shown = wide ? [0xffffffff, 0xffffffff] : [packed.length, size];
    const wideField = wide
      ? numbers([2, 1], [2, 16], [8, size], [8, packed.length])
      : Buffer.alloc(0);
    if (member.hidden !== true) {
      const extra = Buffer.concat([wideField, latin1(member.localExtra ?? '')]);
      const local = Buffer.concat([
        ...[
          latin1('PK\x03\x04'),
          common(true, localSizes ? shown : [0, 0], extra),
          name,
          extra,
          packed,
        ],
        localSizes
          ? Buffer.alloc(0)
          : numbers([4, 0x08074b50], [4, crc], [4, packed.length], [4, size]),
      ]);
      parts.push(local);
      at += local.length;
    }
    const rest = numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, start]);
    const head = [latin1('PK\x01\x02'), numbers([2, 20]), common(false, shown, wideField), rest];
    entries.push(Buffer.concat([...head, name, wideField]));
  }
  const directory = Buffer.concat(entries);
  const place = wideEnd ? [0xffff, 0xffffffff, 0xffffffff] : [count, directory.length, at];
  const wideParts = [
    numbers([4, 0x06064b50], [8, 44], [4, 0], [8, 0], [8, count], [8, count]),
    ...[numbers([8, directory.length], [8, at]), numbers([4, 0x07064b50], [4, 0])],
    numbers([8, at + directory.length], [4, 1]),
  ];
  return Buffer.concat([
    ...[latin1(before), ...parts, directory, ...(wideEnd ? wideParts : [])],
    numbers([4, 0x06054b50], [4, 0], [2, place[0]], [2, place[0]], [4, place[1]], [4, place[2]]),
    ...[numbers([2, comment.length]), latin1(comment)],
  ]);
}
