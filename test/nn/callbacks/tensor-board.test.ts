import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCheckpoint, TensorBoard } from '@firelight/nn';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Blobs, createModel, createNetwork, Keeper } from '../training/blobs.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-events-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Field = readonly [number: number, value: number | Buffer];

/** The fields of a protocol buffer message. */
function fieldsOf(message: Buffer): Field[] {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const read = (wire: number): number | Buffer => {
    if (wire === 0) return varint();
    const length = wire === 1 ? 8 : wire === 5 ? 4 : varint();
    at += length;
    if (wire === 1) return message.readDoubleLE(at - 8);
    return wire === 5 ? message.readFloatLE(at - 4) : message.subarray(at - length, at);
  };
  const fields: Field[] = [];
  while (at < message.length) {
    const key = varint();
    fields.push([key >> 3, read(key & 7)]);
  }
  return fields;
}

const field = (fields: readonly Field[], number: number) =>
  fields.find(([found]) => found === number)?.[1];

interface Point {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/**
 * What TensorBoard shows of a folder: all files in the order of their names, and at `SessionLog.START`
 * (field 7, status 1) nothing of its step and later ones remains.
 *
 * @see tensorboard/backend/event_processing/plugin_event_accumulator.py, `_Purge`
 */
async function shown(directory: string): Promise<Point[]> {
  let points: Point[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const file = await readFile(join(directory, name));
    for (let at = 0; at < file.length; ) {
      const length = Number(file.readBigUInt64LE(at));
      const event = fieldsOf(file.subarray(at + 12, at + 12 + length));
      at += length + 16;
      const step = Number(field(event, 2) ?? 0);
      const session = field(event, 7);
      if (session !== undefined) {
        expect(fieldsOf(session as Buffer)).toEqual([[1, 1]]);
        points = points.filter((point) => point.step < step);
      }
      const summary = field(event, 5);
      for (const [, value] of summary === undefined ? [] : fieldsOf(summary as Buffer)) {
        const parts = fieldsOf(value as Buffer);
        points.push({ tag: String(field(parts, 1)), step, value: field(parts, 2) as number });
      }
    }
  }
  return points;
}

const byTagAndStep = (a: Point, b: Point): number => a.tag.localeCompare(b.tag) || a.step - b.step;

const EPOCHS = 2;

async function train(directory: string, file?: Uint8Array): Promise<Uint8Array[]> {
  const keeper = new Keeper();
  await createModel(createNetwork()).train(EPOCHS, new Blobs(), {
    callbacks: [new TensorBoard(directory), keeper],
    validation: [...new Blobs()],
    ...(file === undefined ? {} : { resumeFrom: await decodeCheckpoint(file, 'memory') }),
  });
  return Promise.all(keeper.snapshots);
}

describe('the event files of a training', () => {
  test('show each step once, after resumes at any moments and another training', async () => {
    const whole = join(folder, 'whole');
    const files = await train(whole);
    const expected = (await shown(whole)).sort(byTagAndStep);
    expect(expected.map(({ tag, step }) => `${tag} ${step}`)).toHaveLength(8 + 8 + 2 + 2);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(files.length - 1), { minLength: 1, maxLength: 3 }),
        async (moments) => {
          const directory = join(folder, `resumed-${runs++}`);
          await train(directory);
          for (const moment of moments) await train(directory, files[moment]);
          expect((await shown(directory)).sort(byTagAndStep)).toEqual(expected);
          expect(await readdir(directory)).toHaveLength(1 + moments.length);
        },
      ),
      { numRuns: 8, examples: [[[...files.keys()].reverse()]] },
    );
    await train(whole);
    expect((await shown(whole)).sort(byTagAndStep)).toEqual(expected);
  });
});
