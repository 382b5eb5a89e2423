import { execFileSync } from 'node:child_process';
import { type Product, THREADS, type Timing, type Workload } from './workloads.ts';

/** A contender: how to start a process that runs the workloads. */
export interface Contender<Work = Workload> {
  readonly name: string;
  /** @param works those to run, as a JSON list */
  command(works: string): readonly string[];
  /** Whether it can run this one; all by default. */
  can?(work: Work): boolean;
  readonly folder?: string;
}

export interface Result {
  readonly milliseconds: number[];
  peakBytes: number;
}

/** What was measured, by the names of workload and contender. */
export class Results {
  readonly #results = new Map<string, Result>();

  of(work: string, contender: string): Result | undefined {
    return this.#results.get(`${work} ${contender}`);
  }

  add({ workload, milliseconds, peakBytes }: Timing, contender: string): void {
    const result = this.of(workload, contender) ?? { milliseconds: [], peakBytes: 0 };
    result.milliseconds.push(...milliseconds);
    result.peakBytes = Math.max(result.peakBytes, peakBytes);
    this.#results.set(`${workload} ${contender}`, result);
  }
}

function run<Work>({ command, folder }: Contender<Work>, works: readonly Work[]): Timing[] {
  const [program, ...args] = command(JSON.stringify(works));
  const output = execFileSync(program, args, {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, THREADS: String(THREADS) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Timing);
}

/** Times each group in a process of its own, one contender after the other in every round. */
export function measure<Work extends Workload | Product>(
  contenders: readonly Contender<Work>[],
  groups: readonly (readonly Work[])[],
  rounds: number,
): Results {
  const results = new Results();
  for (let round = 0; round < rounds; round++) {
    for (const group of groups) {
      for (const contender of contenders) {
        const works = group.filter((work) => contender.can?.(work) ?? true);
        if (works.length === 0) continue;
        for (const timing of run(contender, works)) results.add(timing, contender.name);
      }
    }
  }
  return results;
}
