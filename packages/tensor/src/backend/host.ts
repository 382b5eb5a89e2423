import { ValueError } from '../core/errors.ts';

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
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: unknown) => void): void;
}

/** What tells a file from another, or from itself after a change. */
export interface NodeFile {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
}

/** What is used of Node's files. */
export interface NodeFileSystem {
  readonly promises: {
    stat(path: string): Promise<NodeFile>;
    readFile(path: string): Promise<Uint8Array>;
  };
  readFileSync(path: string, encoding: 'utf8'): string;
  openSync(path: string, flags: 'r'): number;
  fstatSync(descriptor: number): NodeFile;
  readSync(
    descriptor: number,
    into: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  closeSync(descriptor: number): void;
}

interface NodeModules {
  'node:fs': NodeFileSystem;
  'node:os': { availableParallelism(): number };
  'node:zlib': {
    inflateSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array;
    inflateRawSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array;
    /** Since Node 20.15. */
    crc32?: (bytes: Uint8Array, before: number) => number;
  };
  'node:v8': { setFlagsFromString(flags: string): void };
  'node:worker_threads': {
    Worker: new (
      code: string | { readonly href: string },
      options?: Readonly<Record<string, unknown>>,
    ) => NodeWorker;
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

/**
 * A module of Node, for what does not work without it.
 *
 * @param instead what to do elsewhere, for the error: `'pass bytes to decodeImage'`
 * @throws ValueError outside of Node
 */
export function neededModule(name: string, instead: string): unknown {
  const module = nodeModule(name as keyof NodeModules); // Node knows more than are described here.
  if (module !== undefined) return module;
  throw new ValueError(`files need Node, and '${name}' is not here; in a browser ${instead}`);
}

/** Node's own description of itself, or of what passes for Node; undefined in browsers. */
export function nodeProcess(): Pick<NodeProcess, 'arch' | 'versions'> | undefined {
  return node;
}

/** Whether this is Node, or what passes for it. */
export function isNode(): boolean {
  return node !== undefined;
}

/**
 * Calls `listener` instead of ending this thread of Node when an error or a rejected promise is
 * never caught. (A browser's worker goes on by itself.)
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
