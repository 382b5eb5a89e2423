import { downloadProgressBar } from '@firelight/data';
import { describe, expect, test } from 'vitest';

describe('downloadProgressBar', () => {
  const at = (receivedBytes: number, totalBytes: number | null = 2e6) => ({
    name: 'a.tar.gz',
    receivedBytes,
    totalBytes,
  });

  test('writes a line for each tenth where there is no terminal', () => {
    const written: string[] = [];
    const show = downloadProgressBar({ write: (text) => written.push(text) });
    for (const bytes of [0, 1000, 200_000, 390_000, 2e6]) show(at(bytes));
    show(at(5, null));
    expect(written.join('')).toBe(
      'a.tar.gz: 0 % of 2.0 MB\na.tar.gz: 10 % of 2.0 MB\na.tar.gz: 100 % of 2.0 MB\n',
    );
  });

  test('redraws its line on a terminal', () => {
    const written: string[] = [];
    const show = downloadProgressBar({ isTTY: true, write: (text) => written.push(text) });
    show(at(1e6));
    show(at(1_000_001));
    show(at(2e6));
    expect(written).toHaveLength(3);
    expect(written[0].startsWith('\r\x1b[K')).toBe(true);
    expect(written[0]).toMatch(/a.tar.gz █{12}░{12} {2}50 % {2}1.0\/2.0 MB {2}/);
    expect(written[1]).toMatch(/a.tar.gz █{24} 100 % {2}2.0\/2.0 MB {2}[\d.]+ MB\/s$/);
    expect(written[2]).toBe('\n');
  });
});
