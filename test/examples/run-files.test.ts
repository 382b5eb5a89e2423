import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint, saveCheckpoint } from '@firelight/nn';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openNetwork } from '../../examples/support/open-network.ts';
import { parseTrainOptions, resumedOptions } from '../../examples/support/parse-train-options.ts';
import { drawPictures } from '../../examples/support/report.ts';
import { parseRunConfig } from '../../examples/support/run-config.ts';
import { mutantsOf } from '../helpers/mutations.ts';
import { checkpointsOf, SHORT, train } from './training-process.ts';

let folder: string;
/** A run that is complete. */
let whole: string;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firelight-files-'));
  whole = join(folder, 'whole');
  expect((await train([...SHORT, '--out', whole])).code).toBe(0);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function copyOfRun(): Promise<string> {
  const out = join(folder, `run-${runs++}`);
  await cp(whole, out, { recursive: true });
  return out;
}

/** The one sentence with which a resume ends. */
async function refusal(out: string, ...flags: string[]): Promise<string> {
  const { code, stderr } = await train(['--resume', '--threads', '1', '--out', out, ...flags]);
  expect(code).toBe(1);
  const errors = stderr.split('\n').filter((line) => line !== '' && !/^warning: /.test(line));
  expect(errors).toHaveLength(1);
  return errors[0];
}

const options = { ...parseTrainOptions(SHORT), out: '/somewhere' };
const classNames = Array.from({ length: 10 }, (_, i) => `class ${i}`);
const config = { options, classNames };

describe('config.json', () => {
  const parse = (value: unknown) => parseRunConfig(JSON.stringify(value), 'config.json');
  const { epochs: _, ...withoutEpochs } = options;

  test('is read back as it was written', () => {
    expect(parse(config)).toEqual(JSON.parse(JSON.stringify(config)));
  });

  const damaged: [unknown, RegExp][] = [
    [null, /is no JSON object/],
    [[], /is no JSON object/],
    ['text', /is no JSON object/],
    [{}, /has no 'options'/],
    [{ options: [], classNames }, /has no 'options'/],
    [{ options: {}, classNames }, /the option 'recipe' must be one of quick, tutorial/],
    [{ options: withoutEpochs, classNames }, /the option 'epochs' must be a whole number ≥ 0/],
    [{ options: { ...options, epochs: '2' }, classNames }, /'epochs' must be a whole number ≥ 0/],
    [{ options: { ...options, epochs: 1.5 }, classNames }, /'epochs' must be a whole number ≥ 0/],
    [{ options: { ...options, epochs: null }, classNames }, /'epochs' must be a whole number ≥ 0/],
    [{ options: { ...options, 'lr-max': -1 }, classNames }, /'lr-max' must be a number ≥ 0/],
    [{ options: { ...options, augment: 1 }, classNames }, /'augment' must be true or false/],
    [{ options: { ...options, data: 7 }, classNames }, /'data' must be a text/],
    [{ options: { ...options, version: '3' }, classNames }, /'version' must be one of 1\.0, 1\.1/],
    [{ options }, /'classNames' must be 10 texts/],
    [{ options, classNames: classNames.slice(1) }, /'classNames' must be 10 texts/],
    [{ options, classNames: [...classNames.slice(1), 7] }, /'classNames' must be 10 texts/],
  ];
  test.each(damaged)('that is damaged says what is wrong: %j', (value, message) => {
    expect(() => parse(value)).toThrow(message);
    expect(() => parse(value)).toThrow(
      /^config\.json is damaged: .*; take it from a copy, or start/,
    );
  });

  test('of a version to come says so', () => {
    expect(() => parse({ ...config, version: 2 })).toThrow(
      /config\.json has 'version', which this Firelight does not know; use the version that began/,
    );
    const options = { ...config.options, ['warm\u001b[2J-ups'.repeat(9)]: 1 };
    expect(() => parse({ ...config, options })).toThrow(/has 'warm\\u001b\[2J-.{1,60}…', which/);
  });

  test('is refused with one sentence, or is one that could have been written', () => {
    const text = Buffer.from(JSON.stringify(config, null, 2));
    fc.assert(
      fc.property(mutantsOf(text), (mutant) => {
        try {
          const read = parseRunConfig(Buffer.from(mutant).toString(), 'config.json');
          expect(parse(read)).toEqual(read);
        } catch (error) {
          const { name, message } = error as Error;
          expect(name).toBe('CheckpointError');
          expect(message).toMatch(/^config\.json (is damaged: |has ')[^\n]{1,200}$/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('that is damaged, or was changed, ends a resume', async () => {
    const out = await copyOfRun();
    const file = join(out, 'config.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, 'null');
    expect(await refusal(out)).toMatch(/^error: .*config\.json is damaged: it is no JSON object; /);
    await writeFile(file, text.replace('"epochs": 2', '"epochs": 3'));
    expect(await refusal(out)).toMatch(
      /config\.json says --epochs 3, and .*SqueezeNet-2_6\.safetensors was saved with --epochs 2; put/,
    );
  }, 120_000);

  test('in a checkpoint is checked too', async () => {
    const checkpoint = await loadCheckpoint(
      join(checkpointsOf(whole), 'SqueezeNet-best.safetensors'),
    );
    const file = join(folder, 'other.safetensors');
    await saveCheckpoint(checkpoint, file, { config: '{"options":{}}' });
    await expect(openNetwork(file)).rejects.toThrow(
      /other\.safetensors: its configuration is damaged: 'classNames' must be 10 texts/,
    );
  });
});

describe('flags beside --resume', () => {
  const own = parseTrainOptions(['--recipe', 'tutorial', '--epochs', '2', '--clip-norm', '1']);

  test('that are those of the run are taken, and those of the machine and the output', () => {
    const { workers, ...rest } = resumedOptions(
      own,
      '--resume --recipe tutorial --epochs 2 --lr-max 0.01 --workers 3'.split(' '),
    );
    expect(workers).toBe(3);
    expect({ ...rest, workers: 0 }).toEqual(own);
    const begun = parseTrainOptions(['--workers', '2', '--keep', '9']);
    expect(resumedOptions(begun, ['--resume', '--keep', '5'])).toEqual({ ...begun, keep: 5 });
  });

  test('that go with others find those among what the run was begun with', () => {
    const onGpu = parseTrainOptions(['--backend', 'gpu']);
    expect(resumedOptions(onGpu, ['--resume', '--gpu-mode', 'webasm'])).toEqual({
      ...onGpu,
      'gpu-mode': 'webasm',
    });
    expect(() => resumedOptions(own, ['--resume', '--webgpu-module', 'file:///m'])).toThrow(
      '--webgpu-module goes with --backend gpu or --backend auto',
    );
  });

  test('that would change what is trained are refused', async () => {
    expect(() => resumedOptions(own, ['--epochs', '6', '--lr-max', '0.5'])).toThrow(
      '--epochs 6 --lr-max 0.5 cannot be set by --resume: the run was begun with --epochs 2 ' +
        '--lr-max 0.01; leave it out, or start a new run without --resume',
    );
    expect(() => resumedOptions(own, ['--augment'])).toThrow(/begun with --no-augment;/);
    expect(() => resumedOptions(own, ['--clip-norm', '2'])).toThrow(/begun with --clip-norm 1;/);
    const plain = parseTrainOptions([]);
    expect(() => resumedOptions(plain, ['--clip-norm', '2'])).toThrow(/begun with no --clip-norm;/);
    expect(await refusal(whole, '--epochs', '6')).toMatch(/^error: --epochs 6 cannot be set by/);
    const both = await train(['--resume', '--eval-only', 'file']);
    expect(both.stderr).toMatch(
      /^error: --eval-only tests and does not train; leave --resume out$/m,
    );
  }, 120_000);
});

describe('a run whose files are broken', () => {
  test('draws its curves from the lines that can be read', async () => {
    const out = await copyOfRun();
    const metrics = join(out, 'metrics.jsonl');
    const lines = (await readFile(metrics, 'utf8')).split('\n');
    await writeFile(metrics, [...lines.slice(0, 3), '\0'.repeat(99), 'null', lines[4]].join('\n'));
    const files = { curves: join(out, 'curves.svg'), confusion: join(out, 'confusion.svg') };
    const run = { path: out, config: '', metrics, checkpoints: '', sessions: '', ...files };
    const warnings: string[] = [];
    await rm(run.curves);
    await drawPictures(run, {
      confusion: classNames.map(() => classNames.map(() => 1)),
      classNames,
      warn: (text) => warnings.push(text),
    });
    expect(warnings).toEqual([
      `${metrics}: line 4 and 1 more cannot be read, left out`,
      `${metrics}: the last line is cut off, as by a power failure, left out`,
    ]);
    expect(await readFile(run.curves, 'utf8')).toContain('<svg');
  });

  test('is complete again after a resume, with a warning', async () => {
    const out = await copyOfRun();
    const metrics = join(out, 'metrics.jsonl');
    const text = await readFile(metrics, 'utf8');
    await writeFile(metrics, `${text.replace('\n', '\n\0\0\0\n')}{"type":"st`);
    const { code, stderr } = await train(['--resume', '--threads', '1', '--out', out]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: .*metrics\.jsonl: line 2 cannot be read, left out$/m);
    expect(stderr).toMatch(/^warning: .*metrics\.jsonl: the last line is cut off/m);
    expect(await readFile(metrics, 'utf8')).toBe(text);
  }, 120_000);

  test('does not begin anew where no checkpoint is whole', async () => {
    const out = await copyOfRun();
    for (const name of await readdir(checkpointsOf(out))) {
      await truncate(join(checkpointsOf(out), name), 1000);
    }
    const log = await readFile(join(out, 'metrics.jsonl'));
    expect(await refusal(out)).toMatch(
      /checkpoints: none of the 3 checkpoints of 'SqueezeNet' is whole; put one back from a copy/,
    );
    expect(await readFile(join(out, 'metrics.jsonl'))).toEqual(log);
  }, 120_000);
});
