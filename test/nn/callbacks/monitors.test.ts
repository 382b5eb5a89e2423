import { LearningRateMonitor, LossMonitor, ProgressBar, TimeMonitor } from '@firelight/nn';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFloat } from '../../../packages/nn/src/callbacks/format-float.ts';
import { contextAt, drive } from './context.ts';

test('numbers are printed as Python prints them', () => {
  // repr() of Python 3 for these doubles.
  const known: [number, string][] = [
    [1.6105313301086426, '1.6105313301086426'],
    [2, '2.0'],
    [-0, '-0.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1.25e300, '1.25e+300'],
    [Number.NaN, 'nan'],
    [-Infinity, '-inf'],
  ];
  for (const [x, text] of known) expect(formatFloat(x)).toBe(text);
});

describe('LossMonitor', () => {
  test("prints MindSpore's line every so many steps", async () => {
    const lines: string[] = [];
    await drive(new LossMonitor(3, { print: (line) => lines.push(line) }), { epochs: 2, steps: 4 });
    expect(lines).toEqual([
      'epoch: 1 step: 3, loss is 0.3333333432674408',
      'epoch: 2 step: 2, loss is 0.1666666716337204',
    ]);
  });

  test('prints what it would have printed where a training is resumed, or nothing at 0', async () => {
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    const resumed = new LossMonitor(3, { print });
    resumed.onTrainBegin(contextAt({ globalStep: 4 }));
    for (const globalStep of [5, 6, 7])
      resumed.onStepEnd(contextAt({ globalStep, step: globalStep }));
    expect(lines).toEqual(['epoch: 1 step: 6, loss is 1.0']);
    await drive(new LossMonitor(0, { print }), { epochs: 1, steps: 3 });
    expect(lines).toHaveLength(1);
    expect(() => new LossMonitor(-1)).toThrow(/perPrintTimes must be an integer ≥ 0, got -1/);
  });
});

test('LearningRateMonitor prints the learning rate', async () => {
  const lines: string[] = [];
  const monitor = new LearningRateMonitor(2, { print: (line) => lines.push(line) });
  await drive(monitor, { epochs: 1, steps: 2 });
  expect(lines).toEqual(['epoch: 1 step: 2, learning rate is 0.25']);
});

test("TimeMonitor prints MindSpore's line, over the steps that were taken", async () => {
  const lines: string[] = [];
  const monitor = new TimeMonitor({ print: (line) => lines.push(line) });
  monitor.onEpochBegin(contextAt({ globalStep: 5 }));
  await new Promise((resolve) => setTimeout(resolve, 30));
  monitor.onStepEnd();
  monitor.onEpochEnd(contextAt({ globalStep: 8 }));
  const [, epoch, step] = /^Train epoch time: ([\d.]+) ms, per step time: ([\d.]+) ms$/.exec(
    lines[0],
  ) as RegExpExecArray;
  expect(Number(epoch)).toBeGreaterThan(20);
  expect(Number(step)).toBeCloseTo(Number(epoch) / 3, 2);
});

describe('ProgressBar', () => {
  const record = (isTTY: boolean, columns = 200) => {
    const texts: string[] = [];
    const stream = { write: (text: string) => texts.push(text), isTTY, columns };
    return { texts, bar: new ProgressBar({ stream }) };
  };

  test('prints the same twenty lines where there is no terminal', async () => {
    const { texts, bar } = record(false);
    await drive(bar, { epochs: 2, steps: 50, metrics: { accuracy: 0.5 } });
    expect(texts.filter((text) => text.includes('step'))).toHaveLength(20);
    expect(texts[0]).toMatch(
      /^epoch 1\/2 {2}step 5\/100 {2}loss 0\.4567 {2}[\d.]+ images\/s {2}\d:\d\d left\n$/,
    );
    expect(texts).toContain('epoch 1 validated: accuracy 0.5000\n');
  });

  test('redraws one line on a terminal, no wider than it', async () => {
    const { texts, bar } = record(true, 40);
    await drive(bar, { epochs: 1, steps: 3 });
    expect(texts.filter((text) => text.startsWith('\r\x1b[K'))).toHaveLength(3);
    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(40 + 4);
    expect(texts.at(-1)).toBe('\n');
  });

  test('shows numbers at any moment, on a terminal of any width and on none', () => {
    const numbers = fc.record({
      label: fc.constant('epoch 1/2'),
      step: fc.nat(2000),
      steps: fc.option(fc.oneof(fc.nat(1000), fc.constant(Number.POSITIVE_INFINITY))),
      images: fc.nat(64),
      details: fc.constant('loss 1'),
    });
    const moments = fc.array(numbers, { maxLength: 5 });
    fc.assert(
      fc.property(fc.boolean(), fc.nat(100), fc.nat(100), moments, (isTTY, columns, from, list) => {
        const { texts, bar } = record(isTTY, columns);
        bar.onTrainBegin(contextAt({ globalStep: from }));
        for (const moment of list) bar.update(moment);
        bar.onTrainEnd();
        const text = texts.join('');
        expect(text).not.toMatch(/NaN|Infinity|\d:-|-\d/);
        if (isTTY && list.length > 0) expect(text).toContain('\x1b[Ke');
        expect(text === '' || text.endsWith('\n')).toBe(true);
      }),
    );
  });

  test('does not need to know the end', async () => {
    const { texts, bar } = record(false);
    await drive(bar, { epochs: 1, steps: 250, stepsPerEpoch: null });
    expect(texts).toHaveLength(2);
    expect(texts[0]).toMatch(/step 100\/\?/);
  });
});
