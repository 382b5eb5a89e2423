/** What is used of the JavaScript engine around us, in Node and in browsers, without types of either. */

interface NodeWorker {
  ref(): void;
  unref(): void;
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'message', listener: (message: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  terminate(): Promise<number>;
}

/** The other end of a worker thread. */
interface NodePort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): void;
}

interface NodeModules {
  'node:fs': { readFileSync(path: string, encoding: 'utf8'): string };
  'node:os': { availableParallelism(): number };
  'node:v8': { setFlagsFromString(flags: string): void };
  'node:worker_threads': {
    Worker: new (code: string | URL, options?: Readonly<Record<string, unknown>>) => NodeWorker;
    parentPort: NodePort | null;
  };
}

interface NodeProcess {
  on(event: 'exit', listener: () => void): void;
  on(event: 'uncaughtException', listener: (error: Error) => void): void;
  readonly arch: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined;
}

const { process } = globalThis as { process?: NodeProcess };
const node = process?.versions?.node === undefined ? undefined : process;

/** A module of Node, or undefined elsewhere; no import, so that bundlers for browsers do not mind. */
export function nodeModule<Name extends keyof NodeModules>(
  name: Name,
): NodeModules[Name] | undefined {
  return node?.getBuiltinModule?.(name);
}

/** Node's own description of itself, or of what passes for Node; undefined in browsers. */
export function nodeProcess(): Pick<NodeProcess, 'arch' | 'versions'> | undefined {
  return node;
}

export function isNode(): boolean {
  return node !== undefined;
}

/**
 * Calls `listener` instead of ending this thread of Node when an error or a rejected promise is
 * caught by nobody. (A browser's worker goes on by itself.)
 */
export function onUncaught(listener: (error: Error) => void): void {
  node?.on('uncaughtException', listener);
}

/** Runs `body` when the process or its thread ends; never in a browser. */
export function atExit(body: () => void): void {
  node?.on('exit', body);
}

/** Processors that this process may use. */
export function processorCount(): number {
  const os = nodeModule('node:os');
  if (os !== undefined) return os.availableParallelism();
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Whether the calling thread may sleep: not the main thread of a browser. */
export function maySleep(): boolean {
  return node !== undefined || !('document' in globalThis);
}

/** Bytes of a module `() → v128` whose only instruction after two constants is `opcode`. */
function probe(constants: number, ...opcode: number[]): Uint8Array<ArrayBuffer> {
  const zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];
  const body = [0, ...Array.from({ length: constants }, () => zero).flat(), ...opcode, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7b], // type 0: () → v128
    ...[3, 2, 1, 0],
    ...[10, body.length + 2, 1, body.length, ...body],
  ]);
}

/** Whether this engine knows SIMD and shared memory. */
export function supportsSimd(): boolean {
  return (
    typeof WebAssembly === 'object' &&
    WebAssembly.validate(probe(2, 0xfd, 0xe4, 0x01)) && // f32x4.add
    typeof Atomics === 'object'
  );
}

/** Whether this engine knows relaxed SIMD; Node 20 is asked to switch it on first. */
export function supportsRelaxedSimd(): boolean {
  const bytes = probe(3, 0xfd, 0x85, 0x02); // f32x4.relaxed_madd
  if (WebAssembly.validate(bytes)) return true;
  try {
    nodeModule('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd');
  } catch {
    return false;
  }
  return WebAssembly.validate(bytes);
}
