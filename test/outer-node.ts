// npm run test:outer: the tests of tensor on the Node that npm itself runs on. npm's scripts run on
// the newer one that `npm ci` brings along, so without this nothing would try the machine's own.
import { execFileSync, spawnSync } from 'node:child_process';

const FOLDER = 'test/tensor';
/** Browsers, and software in place of a GPU: slow, and the same with any Node around them. */
const ELSEWHERE = ['test/tensor/backend/gpu/**', '**/in-browsers.test.ts'];

function say(message: string): void {
  console.log(`\n=== test:outer: ${message} ===\n`);
}

function run(outer: string): number {
  const version = execFileSync(outer, ['-p', 'process.version'], { encoding: 'utf8' }).trim();
  if (version === process.version) {
    say(`npm runs on Node ${version}, as its scripts do: npm test covers it, nothing to run here`);
    return 0;
  }
  say(`${FOLDER} on Node ${version} (${outer}), while npm's scripts run on ${process.version}`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'node*'];
  const exclude = ELSEWHERE.flatMap((pattern) => ['--exclude', pattern]);
  const args = [...vitest, FOLDER, ...exclude, ...process.argv.slice(2)];
  const { status } = spawnSync(outer, args, { stdio: 'inherit' });
  say(`${FOLDER} ${status === 0 ? 'passed' : 'FAILED'} on Node ${version}`);
  return status ?? 1;
}

const outer = process.env.npm_node_execpath;
if (outer === undefined) {
  console.error('test:outer: only npm tells which Node it runs on; use: npm run test:outer');
  process.exitCode = 1;
} else {
  process.exitCode = run(outer);
}
