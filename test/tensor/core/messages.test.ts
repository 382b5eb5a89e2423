import {
  FirelightError,
  printable,
  printablePath,
  quote,
  quoteSome,
  systemReason,
  ValueError,
} from '@firelight/tensor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Whatever a terminal could obey, hide, or show in another order. */
const COMMANDS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u001b[2J', '\u009b31m', '\u202e', '\u2066', '\u2028', '\u0000', '\r', '\n'),
      fc.constantFrom(
        '\u200b',
        '\u061c',
        '\ud800',
        '\u{e0041}',
        '\ufeff',
        "'",
        '"',
        '\\',
        'é',
        '🦎',
      ),
      fc.nat({ max: 400 }).map((length) => 'x'.repeat(length)),
    ),
  )
  .map((parts) => parts.join(''));

describe('quote', () => {
  test('escapes what a terminal would obey, and cuts', () => {
    expect(quote('features.0.weight')).toBe("'features.0.weight'");
    expect(quote('a"b\n')).toBe("'a\"b\\n'");
    expect(quote("it's \\")).toBe("'it\\'s \\\\'");
    expect(quote('d\u009b31m \u202ered\u007f')).toBe("'d\\u009b31m \\u202ered\\u007f'");
    expect(quote('\u{e0041}🦎')).toBe("'\\udb40\\udc41🦎'");
    expect(quote('x'.repeat(40))).toBe(`'${'x'.repeat(40)}'`);
    expect(quote('x'.repeat(41))).toBe(`'${'x'.repeat(40)}…'`);
  });

  test('of anything is one short line that can be printed', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = quote(text);
        expect(shown).not.toMatch(COMMANDS);
        expect(shown.length).toBeLessThanOrEqual(43);
        // No unescaped quote ends it early.
        expect(shown.slice(1, -1).replace(/\\./g, '')).not.toContain("'");
      }),
      { numRuns: 2000 },
    );
  });

  test('of a list says how many more there are', () => {
    expect(quoteSome([])).toBe('');
    expect(quoteSome(['a', 'b', 'c'])).toBe("'a', 'b', 'c'");
    expect(quoteSome(['a', 'b', 'c', 'd', 'e'])).toBe("'a', 'b', 'c' … and 2 more");
  });
});

describe('a path', () => {
  test('stays as it is, but printable, and loses its middle where it is long', () => {
    expect(printablePath('/tmp/a b/ü.safetensors')).toBe('/tmp/a b/ü.safetensors');
    expect(printablePath('a\u001b[31m\nb')).toBe('a\\u001b[31m\\u000ab');
    const long = printablePath(`/begin/${'x'.repeat(5000)}/end`);
    expect(long).toMatch(/^\/begin\/x+…x+\/end$/);
    expect(long).toHaveLength(301);
  });
});

describe('every error', () => {
  test('is printable, and may have lines', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const { message } = new ValueError(`op: ${text}`);
        expect(message.replaceAll('\n', '')).not.toMatch(COMMANDS);
        expect(printable(message)).toBe(message);
      }),
      { numRuns: 1000 },
    );
    expect(new FirelightError('conv2d: no\n  input  [1]').message).toBe('conv2d: no\n  input  [1]');
    const cause = new Error('why');
    expect(new FirelightError('a', { cause }).cause).toBe(cause);
  });
});

test('the reason of the system is in words, without the path, and short', () => {
  const failed = (code: string): Error =>
    Object.assign(new Error(`${code}: no, open '/a\u001b[2J/${'b'.repeat(999)}'`), { code });
  expect(systemReason(failed('ENOSPC'))).toBe('the disk is full (ENOSPC)');
  expect(systemReason(failed('EACCES'))).toBe('permission is denied (EACCES)');
  expect(systemReason(failed('EWEIRD'))).toMatch(/^'EWEIRD: no, open .{0,30}…'$/);
  expect(systemReason('text')).toBe("'text'");
});
