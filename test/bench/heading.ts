import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { describeBackend, setThreads } from '@firelight/tensor';
import { THREADS } from './workloads.ts';

/** Vector extensions as the flags of /proc/cpuinfo call them, and by their names. */
const EXTENSIONS = [
  ['avx2', 'AVX2'],
  ['avx512f', 'AVX-512'],
];

/** Which of the vector extensions the processor has, in brackets; nothing where that is not known. */
function vectorExtensions(): string {
  let flags: readonly string[] | undefined;
  try {
    flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ');
  } catch {
    // Only Linux has the file.
  }
  if (flags === undefined) return '';
  const found = EXTENSIONS.filter(([flag]) => flags.includes(flag)).map(([, name]) => name);
  return ` (${found.join(', ') || 'no AVX2'})`;
}

/** What runs the benchmarks: figures mean something only beside it. */
export function heading(): string {
  setThreads(THREADS);
  const { node, v8 } = process.versions;
  const processors = cpus();
  return [
    `Node ${node}, V8 ${v8}`,
    `${processors[0]?.model.trim() ?? 'unknown processor'}${vectorExtensions()}`,
    `threads: ${THREADS}, processors: ${processors.length}`,
    describeBackend().summary,
  ].join('\n');
}
