import { formatDuration, progressBar, rewriteLine } from '@firelight/tensor/extend';
import { expect, test } from 'vitest';

test('a bar has 24 places, also for shares that are none', () => {
  expect(progressBar(0.5)).toBe(`${'█'.repeat(12)}${'░'.repeat(12)}`);
  expect([-1, 0, 1, 7].map(progressBar)).toEqual(
    [0, 0, 24, 24].map((filled) => '█'.repeat(filled) + '░'.repeat(24 - filled)),
  );
});

test('durations are minutes and seconds', () => {
  expect([0, 59.6, 61, 3600].map(formatDuration)).toEqual(['0:00', '1:00', '1:01', '60:00']);
});

test('a line is cut to the width of the terminal, if that is known', () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  rewriteLine({ write, columns: 4 }, 'abcdef');
  rewriteLine({ write, columns: 0 }, 'abcdef');
  expect(written).toEqual(['\r\x1b[Kabcd', '\r\x1b[Kabcdef']);
});
