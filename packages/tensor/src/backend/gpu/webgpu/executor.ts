import type { GpuJs, WebGpuBuffer } from '../device/gpu-js.ts';
import { type CachedKernel, KernelCache } from '../device/kernel-cache.ts';
import { complaintAboutProbe, PROBE, PROBE_VALUES } from '../device/probe.ts';
import { type Program, texelCount } from '../programs/program.ts';
import type { Operand } from './messages.ts';

/** A result, or why there is none. */
type Result =
  | { readonly buffer: WebGpuBuffer; readonly kernel: CachedKernel; readonly texels: number }
  | { readonly problem: string };

/** Runs programs by gpu.js in its mode `webgpu`; results go by numbers. */
export class Executor {
  readonly #lib: GpuJs;
  readonly #kernels: KernelCache;
  readonly #results = new Map<number, Result>();
  #problem: string | null = null;

  constructor(lib: GpuJs) {
    this.#lib = lib;
    this.#kernels = new KernelCache(new lib.GPU({ mode: 'webgpu' }));
  }

  /** Why the device cannot be relied on; null if it can. */
  async probe(): Promise<string | null> {
    await this.run(PROBE, [PROBE_VALUES], -1);
    const numbers = await this.read(-1);
    this.free(-1);
    return typeof numbers === 'string' ? numbers : complaintAboutProbe(numbers);
  }

  /** What went wrong on the device without being the fault of one call: nothing is right any more. */
  get problem(): string | null {
    return this.#problem;
  }

  fail(problem: string): void {
    this.#problem ??= problem;
  }

  /** A problem is kept as the result: whoever reads it, or what is computed from it, learns of it. */
  async run(program: Program, values: readonly Operand[], result: number): Promise<void> {
    this.#results.set(result, await this.#compute(program, values));
  }

  /** The numbers of a result, or why there are none. */
  async read(number: number): Promise<Float32Array | string> {
    const result = this.#results.get(number);
    if (result === undefined) return 'the array was freed';
    if ('problem' in result) return result.problem;
    try {
      result.buffer.output = [4 * result.texels];
      const numbers = (await result.buffer.toArray()) as unknown as Float32Array; // One axis.
      return this.#problem ?? numbers;
    } catch (error) {
      this.#noteLoss(result.buffer);
      return this.#problem ?? (error as Error).message;
    }
  }

  free(number: number): void {
    const result = this.#results.get(number);
    this.#results.delete(number);
    if (result === undefined || 'problem' in result) return;
    result.kernel.resultsInUse--;
    result.buffer.delete();
  }

  async #compute(program: Program, values: readonly Operand[]): Promise<Result> {
    if (this.#problem !== null) return { problem: this.#problem };
    const inputs: unknown[] = [];
    for (const [i, value] of values.entries()) {
      if (typeof value !== 'number') {
        inputs.push(this.#lib.input(value, program.sizes[i] ?? [value.length]));
        continue;
      }
      const operand = this.#results.get(value);
      if (operand === undefined) return { problem: `'${program.name}': an operand was freed` };
      if ('problem' in operand) return operand;
      operand.buffer.output = [4, operand.texels];
      inputs.push(operand.buffer);
    }
    try {
      const kernel = this.#kernels.kernelFor(program);
      const buffer = (await kernel.call(...inputs)) as WebGpuBuffer; // A pipeline kernel's result.
      if (kernel.call.kernel.constructor !== this.#lib.WebGPUKernel) {
        return { problem: `gpu.js would run '${program.name}' on another device; use 'wasm'` };
      }
      // WebGPU does not throw when memory is full: it drops the call, and zeros are read.
      buffer.context.device.onuncapturederror = ({ error }) => this.fail(describe(error.message));
      this.#noteLoss(buffer);
      // gpu.js takes results of one number each only; the bytes are the same.
      buffer.componentCount = 1;
      kernel.resultsInUse++;
      return { buffer, kernel, texels: texelCount(program) };
    } catch (error) {
      return { problem: `gpu.js refuses '${program.name}': ${(error as Error).message}` };
    }
  }

  #noteLoss({ context }: WebGpuBuffer): void {
    if (context.isLost) this.fail('the device was lost, and what was on it is gone');
  }
}

/** A message of WebGPU, which may have several lines, as one sentence. */
function describe(message: string): string {
  const [line] = message.trim().split('\n');
  const remedy = /memory/i.test(message) ? '; use smaller batches or keepOnDevice: false' : '';
  return `WebGPU reports '${line}', and what is on the device may be wrong${remedy}`;
}
