import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Forgets the most memory that the process has held so far, which only Linux can; else says false. */
function forgetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** The most memory that the process has held since `forgetPeak`, in bytes. */
function peak(): number {
  const [, kilobytes] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function afterCollection(): number {
  collect();
  return process.memoryUsage.rss();
}

/** How much may be garbage of what ran before, in bytes. */
const MOST_GARBAGE = 16e6;

/** Measures how much memory things take that run one after another. */
export class MemoryGauge {
  #before = afterCollection();

  /**
   * How many bytes the process held more, at most, while something ran than behind a collection before it;
   * elsewhere than on Linux, how many it holds more behind it. With garbage that is not collected yet.
   */
  async measure(run: () => Promise<void>): Promise<number> {
    if (process.memoryUsage.rss() - this.#before > MOST_GARBAGE) this.#before = afterCollection();
    const isForgotten = forgetPeak();
    await run();
    return (isForgotten ? peak() : process.memoryUsage.rss()) - this.#before;
  }
}
