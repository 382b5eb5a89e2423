// Which functions of the wasm backend V8 packs into 256-bit vectors, and why it leaves others.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '@firelight/tensor'; // Defines all tasks.
import { allTasks } from '../../packages/tensor/src/backend/wasm/runtime/task.ts';
import { type Packing, readTrace } from './revectorizer-trace.ts';
import { table } from './statistics.ts';

const LINE_WIDTH = 100;

const FLAGS = [
  '--experimental-wasm-revectorize',
  '--trace-wasm-revectorize',
  // All functions at once by the optimizing compiler, which packs, and one by one, so that their
  // traces do not mix.
  '--no-liftoff',
  '--no-wasm-lazy-compilation',
  '--single-threaded',
  // Each function as it was written, without those that it calls.
  '--no-wasm-inlining',
];

/** @throws Error if this Node has no such compiler */
function traceOfBackend(): string {
  const script = fileURLToPath(new URL('./load-backend.ts', import.meta.url));
  const flags = [...FLAGS, '--conditions=@firelight/source', '--import', 'tsx', script];
  const folder = mkdtempSync(join(tmpdir(), 'firelight-packing-'));
  try {
    // Into a file: V8 does not wait for a pipe that is full, and what it prints meanwhile is lost.
    const file = join(folder, 'trace');
    const output = openSync(file, 'w');
    const { stderr, status } = spawnSync(process.execPath, flags, {
      encoding: 'utf8',
      stdio: ['ignore', output, 'pipe'],
    });
    closeSync(output);
    if (status !== 0) throw new Error(stderr.trim());
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Lines under the row of a function: each reason with how often it is given. */
function reasonLines({ packed, seeds, reasons }: Packing): string[] {
  const sorted = [...reasons].sort(([, x], [, y]) => y - x);
  const lines = sorted.map(([reason, count]) => `    ${count} × ${reason}`);
  return lines.length === 0 && packed === 0 && seeds > 0 ? ['    V8 does not say why'] : lines;
}

function wrapped(names: readonly string[]): string {
  const lines = [''];
  for (const name of [...names].sort()) {
    const last = lines[lines.length - 1];
    const joined = last === '' ? name : `${last}, ${name}`;
    if (joined.length > LINE_WIDTH) lines.push(name);
    else lines[lines.length - 1] = joined;
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

function print(functions: readonly Packing[]): void {
  const tasks = new Set(allTasks.map(({ name }) => name));
  const tried = functions
    .filter(({ seeds, packed }) => seeds > 0 || packed > 0)
    .sort((x, y) => y.packed - x.packed || y.seeds - x.seeds);
  const [heads, ...rows] = table([
    ['', '', '256-bit operations', 'seeds', 'given up'],
    ...tried.map(({ name, packed, seeds, reasons }) => {
      const givenUp = [...reasons.values()].reduce((sum, count) => sum + count, 0);
      const kind = tasks.has(name) ? 'task' : 'called';
      return [name, kind, packed === 0 ? 'not packed' : String(packed), `${seeds}`, `${givenUp}`];
    }),
  ]).split('\n');
  console.log(`\n${heads}`);
  rows.forEach((row, i) => {
    console.log([row, ...reasonLines(tried[i])].join('\n'));
  });
  console.log('(A seed is a pair of neighbouring stores or sums, from which V8 walks backwards.)');
  const untried = functions.filter((each) => !tried.includes(each)).map(({ name }) => name);
  console.log(`\nNot packed, as there is no seed in them (${untried.length}):`);
  console.log(wrapped(untried));
  const traced = new Set(functions.map(({ name }) => name));
  const plain = [...tasks].filter((name) => !traced.has(name));
  console.log(`\nTasks without vectors (${plain.length}):`);
  console.log(wrapped(plain));
}

try {
  const functions = readTrace(traceOfBackend());
  if (functions.length === 0) throw new Error('V8 looked at no function');
  print(functions);
} catch (error) {
  console.error(
    `error: ${(error as Error).message}; packing needs an x64 processor with AVX2 and Node 24 or ` +
      `newer, and this is Node ${process.versions.node}`,
  );
  process.exitCode = 1;
}
