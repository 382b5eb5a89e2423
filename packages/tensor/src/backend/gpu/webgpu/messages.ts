import type { Renderer } from '../device/renderer.ts';
import type { Program } from '../programs/program.ts';

/** What the calling thread and the thread with the GPU tell each other. */

/** The first message. */
export interface Setup {
  /** A module with `create` and `globals`, as npm's `webgpu`; null where there is navigator.gpu. */
  readonly webgpuModule: string | null;
}

/** The answer to it. */
export type SetupReply =
  | ({ readonly ok: true; readonly maxTexels: number; readonly limit: string } & Renderer)
  | { readonly ok: false; readonly problem: string };

/** An array of the device by its number, or one of the host. */
export type Operand = number | Float32Array;

/** Orders, carried out in turn. `read` and `finish` are answered, through their shared memory. */
export type Order =
  | {
      readonly kind: 'run';
      readonly program: Program;
      readonly values: readonly Operand[];
      readonly result: number;
    }
  | { readonly kind: 'read'; readonly array: number; readonly reply: SharedArrayBuffer }
  | { readonly kind: 'free'; readonly array: number }
  | { readonly kind: 'finish'; readonly reply: SharedArrayBuffer };

/**
 * A reply: a state, a count, and then numbers or the letters of a problem. `failed` is about what was
 * asked for, `broken` about the device: nothing of it can be relied on any more.
 */
export const REPLY_HEADER_BYTES = 8;
export const REPLY = { pending: 0, done: 1, failed: 2, broken: 3 } as const;
export const MESSAGE_BYTES = 4096;
