import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Callback,
  CSVLogger,
  EarlyStopping,
  MetricsLog,
  readMetricsLog,
  TensorBoard,
} from '@firelight/nn';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crc32c } from '../../../packages/nn/src/callbacks/crc32c.ts';
import { mutantsOf } from '../../helpers/mutations.ts';
import { contextAt, drive } from './context.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-logs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const warnings: string[] = [];
const warn = (text: string): void => {
  warnings.push(text);
};

const metrics = { accuracy: 0.5, confusionMatrix: [[1]] };

describe.each<[string, (path: string) => Callback]>([
  ['CSVLogger', (path) => new CSVLogger(path, { warn })],
  ['MetricsLog', (path) => new MetricsLog(path, { warn })],
])('%s', (name, create) => {
  test('is the same file after any resume as without one', async () => {
    const whole = join(folder, name, 'whole');
    await drive(create(whole), { epochs: 2, steps: 3, metrics });
    const expected = await readFile(whole, 'utf8');
    for (let from = 1; from < 6; from++) {
      const path = join(folder, name, `resumed-${from}`);
      await drive(create(path), { epochs: 2, steps: 3, metrics });
      await appendFile(path, '{"type":"st');
      warnings.length = 0;
      await drive(create(path), { epochs: 2, steps: 3, metrics, from });
      expect(await readFile(path, 'utf8')).toBe(expected);
      expect(warnings).toEqual([
        `${path}: the last line is cut off, as by a power failure, left out`,
      ]);
    }
  });

  test('leaves out what is no row at a resume, and says which line', async () => {
    const path = join(folder, name, 'broken');
    await drive(create(path), { epochs: 2, steps: 3, metrics });
    const whole = await readFile(path, 'utf8');
    const lines = whole.split('\n');
    for (const garbage of [
      '',
      'null',
      '[]',
      '{}',
      '7',
      '\0'.repeat(40),
      '{"type":"step"}',
      ',,,,',
    ]) {
      await writeFile(path, [lines[0], garbage, ...lines.slice(1, -1), '\0\0\0'].join('\n'));
      warnings.length = 0;
      await drive(create(path), { epochs: 2, steps: 3, metrics, from: 5 });
      expect(await readFile(path, 'utf8')).toBe(whole);
      expect(warnings).toEqual([
        `${path}: line 2 cannot be read, left out`,
        `${path}: the last line is cut off, as by a power failure, left out`,
      ]);
    }
    await writeFile(path, '\n\n\n');
    await create(path).onTrainBegin?.(contextAt({ globalStep: 1 }));
    expect(warnings.at(-1)).toMatch(/: line 1 and 2 more cannot be read, left out$/);
  });

  test('does not take a file that cannot be read for one that is not there', async () => {
    const path = join(folder, name, 'folder');
    await mkdir(path, { recursive: true });
    await expect(create(path).onTrainBegin?.(contextAt({ globalStep: 1 }))).rejects.toThrow(
      /folder: cannot be read: EISDIR/,
    );
    await expect(create(path).onTrainBegin?.(contextAt({}))).rejects.toThrow(
      /folder: cannot be written: EISDIR/,
    );
  });

  test('begins anew otherwise, and says where it cannot write', async () => {
    const path = join(folder, name, 'anew');
    await drive(create(path), { epochs: 2, steps: 3 });
    await drive(create(path), { epochs: 1, steps: 1 });
    const once = join(folder, name, 'once');
    await drive(create(once), { epochs: 1, steps: 1 });
    expect(await readFile(path, 'utf8')).toBe(await readFile(once, 'utf8'));
    const logger = create(folder);
    await expect(logger.onStepEnd?.(contextAt({ globalStep: 1 }))).rejects.toThrow(
      /firelight-logs-\w+: cannot be written: .*; checkpoints are whole/,
    );
  });
});

test('CSVLogger writes a head and a row a step', async () => {
  const path = join(folder, 'log.csv');
  await drive(new CSVLogger(path), { epochs: 1, steps: 2 });
  expect(await readFile(path, 'utf8')).toBe(
    'epoch,step,global_step,loss,learning_rate\n1,1,1,1,0.25\n1,2,2,0.5,0.25\n',
  );
});

test('MetricsLog writes steps and epochs', async () => {
  const path = join(folder, 'log.jsonl');
  await drive(new MetricsLog(path), { epochs: 1, steps: 1, metrics });
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { type: 'step', epoch: 1, step: 1, global_step: 1, loss: 1, learning_rate: 0.25 },
    { type: 'epoch', epoch: 1, global_step: 1, metrics },
  ]);
});

test('readMetricsLog gives the rows of a log, and leaves out the rest with a warning', async () => {
  const path = join(folder, 'rows.jsonl');
  await drive(new MetricsLog(path), { epochs: 2, steps: 3, metrics });
  const whole = await readFile(path);
  const rows = await readMetricsLog(path, { warn });
  expect(rows.map((row) => `${JSON.stringify(row)}\n`).join('')).toBe(String(whole));
  await fc.assert(
    fc.asyncProperty(mutantsOf(whole), async (mutant) => {
      await writeFile(path, mutant);
      warnings.length = 0;
      const found = await readMetricsLog(path, { warn });
      for (const row of found) {
        expect(row.global_step).toBeGreaterThanOrEqual(1);
        if (row.type === 'step') expect(row.loss).toBeTypeOf('number');
        else expect(row.metrics).toBeTypeOf('object');
      }
      const lines = Buffer.from(mutant).toString().split('\n');
      if (found.length < lines.filter((line) => line !== '').length) {
        expect(warnings.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 200 },
  );
  await expect(readMetricsLog(join(folder, 'none.jsonl'))).rejects.toThrow(
    /none\.jsonl: there is no such file; pass one that MetricsLog wrote/,
  );
});

describe('TensorBoard', () => {
  test('the checksum is that of the published examples', () => {
    // RFC 3720, B.4, and the check value of CRC-32C.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  const unmasked = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };

  /** Payloads of the records, whose checksums must be right. */
  function records(file: Buffer): Buffer[] {
    const found: Buffer[] = [];
    for (let at = 0; at < file.length; ) {
      const length = Number(file.readBigUInt64LE(at));
      expect(unmasked(file.readUInt32LE(at + 8))).toBe(crc32c(file.subarray(at, at + 8)));
      const payload = file.subarray(at + 12, at + 12 + length);
      expect(unmasked(file.readUInt32LE(at + 12 + length))).toBe(crc32c(payload));
      found.push(payload);
      at += length + 16;
    }
    return found;
  }

  test('writes records that the format describes', async () => {
    const directory = join(folder, 'events');
    await drive(new TensorBoard(directory), { epochs: 1, steps: 200, metrics });
    const [name] = await readdir(directory);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\./);
    const events = records(await readFile(join(directory, name)));
    expect(events).toHaveLength(1 + 200 + 1);
    expect(events[0].toString('latin1')).toContain('brain.Event:2');
    const last = events[200];
    expect(last[0]).toBe(0x09); // wall_time, a double
    expect(Math.abs(last.readDoubleLE(1) - Date.now() / 1000)).toBeLessThan(60);
    expect([...last.subarray(9, 12)]).toEqual([0x10, 200, 1]); // step, a varint
    // summary { value { tag: "loss", simple_value } value { tag: "learning_rate", … } }
    expect([...last.subarray(12, 16)]).toEqual([0x2a, 35, 0x0a, 11]);
    expect(last.subarray(16, 22).toString('latin1')).toBe('\n\u0004loss');
    expect(last[22]).toBe(0x15);
    expect(last.readFloatLE(23)).toBeCloseTo(1 / 200, 8);
    expect(events[201].toString('latin1')).toContain('validation/accuracy');
  });
});

describe('EarlyStopping', () => {
  const stopsAt = (values: number[], stopping: EarlyStopping): number | null => {
    let stopped: number | null = null;
    values.forEach((loss, i) => {
      const requestStop = (): void => {
        stopped ??= i + 1;
      };
      stopping.onEpochEnd(contextAt({ metrics: { loss, accuracy: loss }, requestStop }));
    });
    return stopped;
  };

  test('waits for an improvement of more than minDelta', () => {
    expect(stopsAt([3, 2, 1.95, 1.9, 1.8], new EarlyStopping({ patience: 2, minDelta: 0.2 }))).toBe(
      4,
    );
    expect(stopsAt([3, 2, 1, 0], new EarlyStopping({ patience: 1 }))).toBeNull();
    expect(stopsAt([1, 2, 3, 3], new EarlyStopping({ monitor: 'accuracy', patience: 1 }))).toBe(4);
  });

  test('remembers over a resume', () => {
    const before = new EarlyStopping({ patience: 2 });
    expect(stopsAt([1, 2], before)).toBeNull();
    const after = new EarlyStopping({ patience: 2 });
    after.restore(JSON.parse(JSON.stringify(before.state())));
    after.onTrainBegin(contextAt({ globalStep: 2 }));
    expect(stopsAt([3], after)).toBe(1);
  });

  test('needs the metric', () => {
    const onEpochEnd = (stopping: EarlyStopping) =>
      stopping.onEpochEnd(contextAt({ metrics: { accuracy: 1 } }));
    expect(() => onEpochEnd(new EarlyStopping())).toThrow(
      /needs the number 'loss' from the validation, which gave: accuracy; pass validation/,
    );
    expect(() => new EarlyStopping({ patience: 0 })).toThrow(/patience must be an integer ≥ 1/);
    expect(() => new EarlyStopping({ minDelta: -1 })).toThrow(/minDelta must be ≥ 0, got -1/);
  });
});
