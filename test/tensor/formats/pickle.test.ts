import { execFileSync } from 'node:child_process';
import { FormatError } from '@firelight/tensor';
import {
  bytesSource,
  latin1,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  type PickleValue,
  type UnpickleOptions,
  unpickle,
} from '@firelight/tensor/formats';
import { describe, expect, test } from 'vitest';
import { fuzzReader } from '../../helpers/fuzz-reader.ts';
import { hasCommand } from '../../helpers/has-command.ts';
import { PYTHON } from '../../helpers/interop.ts';

/** An object whose state is kept. */
class Kept extends PickleObject {
  state: PickleValue = null;
  setState(state: PickleValue): void {
    this.state = state;
  }
}

const globals = new Map(
  [
    new PickleGlobal('collections.OrderedDict', () => new Map()),
    new PickleGlobal('mine.Kept', (args, refuse) => {
      if (args.length > 0) throw refuse('Kept takes nothing');
      return new Kept();
    }),
    new PickleGlobal('mine.Named'),
  ].map((global) => [global.name, global]),
);

const read = (bytes: Uint8Array, options: Partial<UnpickleOptions> = {}): PickleValue =>
  unpickle(bytesSource(bytes, { name: 'file' }), { globals, remedy: 'fetch it again', ...options })
    .value;

/** Instructions as text of Latin-1 and bytes. */
const code = (...parts: (string | number)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.of(part))),
  );

/** What a value is in JSON, with tuples and bytes told from lists and strings. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) };
  if (value instanceof Uint8Array) return { bytes: latin1(value) };
  if (value instanceof Map) return { dict: [...value].map(([key, entry]) => [key, plain(entry)]) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return { long: String(value) };
  return value;
}

describe.skipIf(!hasCommand(PYTHON))('pickles of Python (skipped without it)', () => {
  const expected = {
    dict: [
      ['none', null],
      ['truth', [true, false]],
      ['numbers', [0, 255, 256, 65536, -1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, 1.5, -1e300]],
      ['long', [{ long: String(2n ** 80n) }, { long: String(-(2n ** 63n)) }]],
      ['text', ['', 'é😀', 'x'.repeat(300)]],
      ['bytes', { bytes: '\0ÿ' }],
      ['tuples', [{ tuple: [] }, { tuple: [1] }, { tuple: [1, 2] }, { tuple: [1, 2, 3, 4] }]],
      [7, { dict: [['__proto__', [1]]] }],
      ['ordered', { dict: [['a', 1]] }],
    ],
  };
  const program = `
import pickle, sys, collections
same = [1]
value = {'none': None, 'truth': [True, False],
  'numbers': [0, 255, 256, 65536, -1, -2**31, 2**31, 2**53 - 1, 1.5, -1e300], 'long': [2**80, -2**63],
  'text': ['', 'é😀', 'x' * 300], 'bytes': b'\\0\\xff', 'tuples': [(), (1,), (1, 2), (1, 2, 3, 4)],
  7: {'__proto__': same}, 'ordered': collections.OrderedDict(a=1)}
sys.stdout.buffer.write(pickle.dumps(value, int(sys.argv[1])))
`;
  test.each([3, 4, 5])('of protocol %i', (protocol) => {
    const bytes = execFileSync(PYTHON, ['-c', program, String(protocol)]);
    expect(plain(read(bytes))).toEqual(expected);
    const behind = Buffer.concat([Buffer.of(1, 2, 3), bytes, Buffer.of(4)]);
    const source = bytesSource(behind, { name: 'file' });
    expect(unpickle(source, { globals, remedy: '', start: 3 }).end).toBe(behind.length - 1);
  });
});

test('instructions that Python seldom writes are known', () => {
  expect(read(code(0x80, 2, '(K\x01K\x02l.'))).toEqual([1, 2]);
  expect(read(code(0x80, 2, '(K\x01Nd.'))).toEqual(new Map([[1, null]]));
  expect(read(code(0x80, 2, 'NK\x010.'))).toBeNull();
  expect(read(code(0x80, 2, 'N(K\x011.'))).toBeNull();
  expect(read(code(0x80, 2, ']K\x0120a.'))).toEqual([1]);
  expect(read(code(0x80, 2, ']K\x01a.'))).toEqual([1]);
  expect(read(code(0x80, 2, '}K\x01Ns.'))).toEqual(new Map([[1, null]]));
  expect(read(code(0x80, 2, '\x8b\x01\0\0\0\xfe.'))).toBe(-2);
  expect(read(code(0x80, 2, '\x8a\0.'))).toBe(0);
  expect(read(code(0x80, 2, 'r\x05\0\0\0'.replace('r', 'Nr'), '0j\x05\0\0\0.'))).toBeNull();
});

test('what is allowed is made by the caller, and nothing else', () => {
  const kept = read(code(0x80, 2, 'cmine\nKept\n)RK\x05b.'));
  expect(kept).toBeInstanceOf(Kept);
  expect((kept as Kept).state).toBe(5);
  expect(read(code(0x80, 2, 'cmine\nKept\n)\x81.'))).toBeInstanceOf(Kept);
  expect(read(code(0x80, 4, '\x8c\x04mine\x8c\x05Named\x93.'))).toBe(globals.get('mine.Named'));
  const ordered = read(code(0x80, 2, 'ccollections\nOrderedDict\n)R}b.'));
  expect(ordered).toEqual(new Map());
  const persistent = (id: PickleValue): PickleValue => [id];
  expect(read(code(0x80, 2, 'K\x07Q.'), { persistent })).toEqual([7]);
});

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  [
    'a call of the system',
    code(0x80, 2, 'cposix\nsystem\n'),
    /byte 2 of the pickle: it asks for 'posix\.system', which is refused; ask me$/,
  ],
  [
    'the same in protocol 4',
    code(0x80, 4, '\x8c\x05posix\x8c\x06system\x93'),
    /asks for 'posix.system'/,
  ],
  ['what objects have', code(0x80, 2, 'c\n__proto__\n'), /asks for '\.__proto__'/],
  ['a name of numbers', code(0x80, 4, 'K\x01K\x02\x93'), /a name must be two strings/],
  [
    'a call of what is only a name',
    code(0x80, 2, 'cmine\nNamed\n)R'),
    /it calls 'mine\.Named', which is refused; fetch/,
  ],
  ['wrong arguments', code(0x80, 2, 'cmine\nKept\nN\x85R'), /Kept takes nothing; fetch it again$/],
  ['a persistent id', code(0x80, 2, 'NQ'), /asks for what is not in the file/],
  ['a set', code(0x80, 4, '\x8f'), /there is no instruction 0x8f/],
  ['text of protocol 0', code('I1\n'), /there is no instruction 0x49/],
  ['a number of 300 bytes', code(0x80, 2, '\x8b\x2c\x01\0\0'), /a number has 300 bytes/],
  [
    'a length beyond the file',
    code(0x80, 4, '\x8d\0\0\0\0\0\0\0\x7f'),
    /the file ends where \d+ more bytes should be/,
  ],
  [
    'a key of a list',
    code(0x80, 2, '}]Ns'),
    /a key must be a string of at most 4096 bytes, or a number/,
  ],
  ['an odd dict', code(0x80, 2, '(Nd'), /only a dict takes pairs/],
])('%s is refused', (_, bytes, message) => {
  const remedyForName = (): string => 'ask me';
  expect(() => read(bytes, { remedyForName })).toThrow(FormatError);
  expect(() => read(bytes, { remedyForName })).toThrow(message);
});

test('memory is bounded by the length of the file', () => {
  for (const instruction of [']', '}', ')', 'N', '(', '\x94', '2', '\x85']) {
    const bomb = Buffer.alloc(4e6, Buffer.from(instruction, 'latin1'));
    bomb.set([0x80, 4, 0x4e]);
    const before = process.memoryUsage().rss;
    expect(() => read(bomb)).toThrow(/more objects than its length explains/);
    // The rest is room for what is not collected yet.
    expect(process.memoryUsage().rss - before).toBeLessThan(4 * bomb.length + 2 ** 26 + 128e6);
  }
});

test('300 changed pickles are read or refused', async () => {
  const original = code(
    ...[
      0x80,
      4,
      '\x95\x20\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94]\x94(G\x3f\xf0\0\0\0\0\0\0\x88e',
    ],
    ...['\x8c\x01c\x94\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94h\x01K\x05s'],
    ...['\x8c\x01d\x94C\x03abc\x94\x8a\x09\0\0\0\0\0\0\0\0\x01\x86\x94u.'],
  );
  const { read: count, refused } = await fuzzReader([original], (bytes) => read(bytes), {
    numRuns: 300,
  });
  expect(Math.min(count, refused)).toBeGreaterThan(0);
});
