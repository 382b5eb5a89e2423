import {
  type Bytes,
  loadByte,
  loadByteSplat,
  loadBytes,
  lowestBytes,
} from '../../assembler/bytes.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { I32 } from '../../assembler/scalars.ts';
import type { Vector } from '../../assembler/vector.ts';
import { type Floats, type Ints, splatInt } from '../../assembler/vectors.ts';

/** Bytes of an element. */
export type ElementBytes = 1 | 4;

/** How many elements are computed at once where those of one byte may be among them. */
export const LANES = 16;

/** How elements in memory become lanes, and lanes elements. */
export interface ElementType<Lanes extends Vector> {
  readonly bytes: ElementBytes;
  /** Sixteen elements. */
  load(f: FunctionBuilder, address: I32): Lanes;
  /** One element in all lanes. */
  splat(f: FunctionBuilder, address: I32): Lanes;
  store(f: FunctionBuilder, address: I32, lanes: Lanes): void;
}

export const FLOATS: ElementType<Floats> = {
  bytes: 4,
  load: (_, address) => loadFloats(address, 0, LANES),
  splat: (f, address) => f.f32x4(loadSplat(address)),
  store: (f, address, lanes) => f.store(address, lanes),
};

export const INTS: ElementType<Ints> = {
  bytes: 4,
  load: (f, address) => FLOATS.load(f, address).bits(),
  splat: (f, address) => FLOATS.splat(f, address).bits(),
  store: (f, address, lanes) => f.store(address, lanes),
};

/** Numbers from 0 to 255; of larger ones the lowest byte is stored. */
export const BYTES: ElementType<Ints> = {
  bytes: 1,
  load: (f, address) => f.bytes(loadBytes(address)).toInts(),
  splat: (f, address) => f.i32x4(splatInt(loadByte(address))),
  store: (f, address, lanes) => f.store(address, lowestBytes(lanes)),
};

/** Of one byte, to be moved alone. */
export const MOVED_BYTES: ElementType<Bytes> = {
  bytes: 1,
  load: (_, address) => loadBytes(address),
  splat: (f, address) => f.bytes(loadByteSplat(address)),
  store: (f, address, bytes) => f.store(address, bytes),
};
