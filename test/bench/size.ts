// What programs carry and wait for: bytes of bundles for browsers, and times of new processes.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type Bundled, bundled } from '../helpers/bundled.ts';
import { table } from './statistics.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PROGRAMS = {
  'SqueezeNet, inference': 'test/fixtures/bundles/inference.ts',
  'SqueezeNet, training on CIFAR-10': 'test/fixtures/bundles/training.ts',
  'all that the packages export': 'test/fixtures/bundles/everything.ts',
};

const START_UPS = {
  'relu of one number': 'test/bench/start-up/relu.mjs',
  'SqueezeNet on one picture of 64²': 'test/bench/start-up/squeezenet.mjs',
};

/** Milliseconds of a process, after the start of Node itself. */
interface StartUp {
  /** Until the program has all its imports. */
  readonly load: number;
  /** From then until it has its first result. */
  readonly first: number;
}

function sizesOf({ atStart, later }: Bundled): string[] {
  const kilobytes = (files: Bundled['atStart'], bytesOf: (code: string) => number): string =>
    (files.reduce((bytes, { code }) => bytes + bytesOf(code), 0) / 1000).toFixed(1);
  return [
    kilobytes(atStart, (code) => Buffer.byteLength(code)),
    kilobytes(atStart, (code) => gzipSync(code).length),
    kilobytes(atStart, (code) => brotliCompressSync(code).length),
    kilobytes(later, (code) => Buffer.byteLength(code)),
  ];
}

async function printSizes(): Promise<void> {
  const rows = [['bundle, minified, kB', 'at the start', 'gzip', 'brotli', 'when asked for']];
  for (const [title, file] of Object.entries(PROGRAMS)) {
    rows.push([title, ...sizesOf(await bundled(file))]);
  }
  console.log(`\n${table(rows)}`);
}

/** The least time of each part in processes that run a file in turn with the others. */
function leastTimes(files: readonly string[], rounds: number): StartUp[] {
  const least = files.map(() => ({ load: Infinity, first: Infinity }));
  for (let round = 0; round < rounds; round++) {
    files.forEach((file, i) => {
      const output = execFileSync(process.execPath, [file], { encoding: 'utf8' });
      const { load, first } = JSON.parse(output) as StartUp;
      least[i].load = Math.min(least[i].load, load);
      least[i].first = Math.min(least[i].first, first);
    });
  }
  return least;
}

/** Puts a program and what it imports into a new folder, as a bundler makes it. */
async function bundledInto(folder: string, file: string): Promise<string> {
  const { atStart } = await bundled(file);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const { name, code } of atStart) writeFileSync(join(folder, name), code);
  return join(folder, atStart[0].name);
}

async function printStartUps(rounds: number): Promise<void> {
  // Users run what is built, not the sources.
  execFileSync('npm', ['run', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const folder = mkdtempSync(join(tmpdir(), 'firelight-start-up-'));
  try {
    const programs: (readonly [title: string, file: string])[] = [];
    for (const [title, file] of Object.entries(START_UPS)) {
      const bundle = await bundledInto(join(folder, basename(file, '.mjs')), file);
      programs.push([title, join(ROOT, file)], [`${title}, bundled`, bundle]);
    }
    const times = leastTimes(
      programs.map(([, file]) => file),
      rounds,
    );
    const rows = [[`start-up, ms (least of ${rounds})`, 'imports', 'first result', 'both']];
    programs.forEach(([title], i) => {
      const { load, first } = times[i];
      rows.push([title, ...[load, first, load + first].map((time) => time.toFixed(0))]);
    });
    console.log(`\n${table(rows)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await printSizes();
await printStartUps(Number(process.argv[2]));
