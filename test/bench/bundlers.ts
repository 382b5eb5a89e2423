// What bundlers make of the packed packages: whether a page runs, on how many threads, and its bytes.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromiumPath } from '../helpers/browser.ts';
import { BUNDLERS, builtPages, reportsOf } from '../helpers/bundlers.ts';
import { installPacked, pack, ROOT } from '../helpers/packed.ts';
import { table } from './statistics.ts';

const NAMES = Object.keys(BUNDLERS) as (keyof typeof BUNDLERS)[];

const threadsOf = ({ backend }: { readonly backend: string }): string =>
  /(\d+) threads?/.exec(backend)?.[1] ?? backend;

/** A bundler's name and version. */
function titleOf(name: string): string {
  const [bundler, mode] = name.split('-');
  const manifest = readFileSync(join(ROOT, 'node_modules', bundler, 'package.json'), 'utf8');
  return [bundler, JSON.parse(manifest).version, mode].filter(Boolean).join(' ');
}

async function printTable(chromium: string, work: string): Promise<void> {
  const consumer = join(work, 'consumer');
  await pack(work);
  await installPacked(work, consumer);
  const pages = await builtPages(BUNDLERS, join(consumer, 'page'), join(consumer, 'bundled'));
  const isolated = await reportsOf(pages, { chromium, isolated: true });
  const alone = await reportsOf(pages, { chromium, isolated: false });
  const rows = [['', 'last loss', 'threads, isolated', 'threads, else', 'kB', 'kB as gzip']];
  for (const name of NAMES) {
    const { losses, loaded } = isolated[name];
    const scripts = loaded.map((path) => pages[name].files.get(path.slice(name.length + 2)) ?? '');
    const bytes = scripts.reduce((sum, code) => sum + Buffer.byteLength(code), 0);
    const gzip = scripts.reduce((sum, code) => sum + gzipSync(code).length, 0);
    const threads = [threadsOf(isolated[name]), threadsOf(alone[name])];
    const sizes = [bytes, gzip].map((size) => (size / 1000).toFixed(0));
    rows.push([titleOf(name), String(losses.at(-1)), ...threads, ...sizes]);
  }
  console.log(`\n${table(rows)}`);
}

const chromium = chromiumPath();
if (chromium === null) throw new Error('no Chromium: install it, or name it in CHROME_BIN');
const work = mkdtempSync(join(tmpdir(), 'firelight-bundlers-'));
try {
  await printTable(chromium, work);
} finally {
  rmSync(work, { recursive: true });
}
