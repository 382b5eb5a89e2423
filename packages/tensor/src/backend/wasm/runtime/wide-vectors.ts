import { nodeModule, nodeProcess } from '../../host.ts';
import type { Features } from '../assembler/features.ts';
import { defineFunction } from '../assembler/function.ts';
import { assembleModule } from '../assembler/module.ts';
import { wholeTileKernel } from '../micro-kernel/micro-kernel.ts';
import { tileOf } from '../micro-kernel/tile.ts';

/**
 * V8 since version 13 (Node.js 24) can pack two neighbouring vectors of 128 bits into one of the
 * processor's 256, with a flag that can be set while the process runs. There is no way to ask whether it did.
 * So code for wide vectors is chosen only where it computes a known product right and is faster.
 */

const FLAG = 'experimental-wasm-revectorize';
const FIRST_V8 = 13;
/** How much faster the wide tile must be: well below the factor of 2 that packing gives. */
const ENOUGH = 1.2;
const K = 256;
/** Products of one timing: some 50 µs, of optimized code. */
const PRODUCTS = 4_000_000;
/** How much faster than code of the quick compiler, which is never packed, optimized code is at least. */
const OPTIMIZED = 2;
/** Timings of optimized code: some, and more while the wide tile looks slow, as when others compute. */
const LEAST_TIMINGS = 3;
const MOST_TIMINGS = 20;
/** Milliseconds after which it decides by what it has measured. */
const PATIENCE = 250;

export type Width = { readonly lanes: 8 } | { readonly lanes: 4; readonly reason: string };

/** What is known without trying; null if it may work. */
function whyNotHere(): string | null {
  const process = nodeProcess();
  const v8 = process?.versions.v8;
  if (process === undefined || v8 === undefined || process.versions.bun !== undefined) {
    return '256-bit ones need Node.js ≥ 24';
  }
  if (Number.parseInt(v8, 10) < FIRST_V8) {
    return `256-bit ones, which are faster, need Node.js ≥ 24; this is ${process.versions.node}`;
  }
  if (process.arch !== 'x64') return `256-bit ones need an x64 processor, not ${process.arch}`;
  return hasAvx2() ? null : '256-bit ones need a processor with AVX2';
}

/** Whether the processor has AVX2; true where only trying can tell. */
function hasAvx2(): boolean {
  try {
    const flags = nodeModule('node:fs')?.readFileSync('/proc/cpuinfo', 'utf8');
    return flags === undefined || /^flags\s*:.*\bavx2\b/m.test(flags);
  } catch {
    return true; // There is no such file outside of Linux.
  }
}

/** Runs the micro-kernel `count` times on the same operands. */
const repeatProduct = defineFunction(
  'repeatProduct',
  { a: 'address', b: 'address', c: 'address', count: 'i32' },
  (f, { a, b, c, count }) => {
    const rowStride = tileOf(f.features).columns * 4;
    f.doWhile(() => {
      f.call(wholeTileKernel(f), {
        a,
        b,
        k: f.i32(K),
        c: { address: c, rowStride: f.i32(rowStride) },
        ending: { mode: f.i32(0), bias: f.i32(0) },
      });
      count.set(count.minus(1));
    }, count);
  },
);

interface Probe {
  isRight(): boolean;
  /** Products per millisecond. */
  speed(): number;
}

/** Compiles the micro-kernel for one width. */
function makeProbe(features: Features): Probe {
  const tile = tileOf(features);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const bytes = assembleModule({
    features,
    memory: { initial: 1, maximum: 1 },
    exports: [repeatProduct],
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const repeat = exports.repeatProduct as (a: number, b: number, c: number, count: number) => void;
  const a = new Float32Array(memory.buffer, 0, K * tile.rows);
  const b = new Float32Array(memory.buffer, a.byteLength, K * tile.columns);
  const c = new Float32Array(memory.buffer, a.byteLength + b.byteLength, tile.rows * tile.columns);
  // Whole numbers whose sums are exact, different in every row and column.
  a.set(Array.from(a, (_, i) => ((i * 7) % 31) - 15));
  b.set(Array.from(b, (_, i) => ((i * 5) % 29) - 14));
  const run = (count: number): void => repeat(a.byteOffset, b.byteOffset, c.byteOffset, count);
  const count = Math.ceil(PRODUCTS / (K * c.length));
  return {
    isRight() {
      run(1);
      return c.every((value, i) => {
        const [row, column] = [Math.floor(i / tile.columns), i % tile.columns];
        let sum = 0;
        for (let k = 0; k < K; k++) sum += a[k * tile.rows + row] * b[k * tile.columns + column];
        return value === sum;
      });
    },
    speed() {
      const start = performance.now();
      run(count);
      return (count * K * c.length) / (performance.now() - start);
    },
  };
}

/** By `Features.fma`. */
const measured = new Map<boolean, Width>();

function measure(fma: boolean): Width {
  const v8 = nodeModule('node:v8');
  if (v8 === undefined) return { lanes: 4, reason: '256-bit ones need Node.js ≥ 24' };
  v8.setFlagsFromString(`--${FLAG}`);
  const narrow = makeProbe({ fma, lanes: 4 });
  const wide = makeProbe({ fma, lanes: 8 });
  const until = performance.now() + PATIENCE;
  const first = { narrow: narrow.speed(), wide: wide.speed() };
  const best = { ...first };
  const isFaster = (): boolean => best.wide >= ENOUGH * best.narrow;
  let timings = 0;
  while (timings < (isFaster() ? LEAST_TIMINGS : MOST_TIMINGS) && performance.now() < until) {
    best.narrow = Math.max(best.narrow, narrow.speed());
    best.wide = Math.max(best.wide, wide.speed());
    const isOptimized =
      best.narrow >= OPTIMIZED * first.narrow && best.wide >= OPTIMIZED * first.wide;
    if (isOptimized) timings++;
  }
  const isRight = wide.isRight();
  if (isRight && isFaster()) return { lanes: 8 };
  // Unless other code needs it: V8 optimizes each function only once it is hot.
  if (![...measured.values()].some(({ lanes }) => lanes === 8)) {
    v8.setFlagsFromString(`--no-${FLAG}`);
  }
  const factor = (best.wide / best.narrow).toFixed(2);
  return {
    lanes: 4,
    reason: isRight
      ? `256-bit ones are ${factor} times as fast here`
      : 'this engine computes wrong results with 256-bit ones',
  };
}

/** The width that is best here, measured when first asked for; see `Features.fma`. */
export function bestWidth(fma: boolean): Width {
  const known = measured.get(fma);
  if (known !== undefined) return known;
  const reason = whyNotHere();
  const width = reason === null ? measureIfPossible(fma) : { lanes: 4 as const, reason };
  measured.set(fma, width);
  return width;
}

/** Engines that only pass for Node need not let flags be set. */
function measureIfPossible(fma: boolean): Width {
  try {
    return measure(fma);
  } catch (error) {
    return { lanes: 4, reason: `256-bit ones cannot be tried here: ${(error as Error).message}` };
  }
}
