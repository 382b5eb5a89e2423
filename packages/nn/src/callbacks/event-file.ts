import { crc32c } from './crc32c.ts';

/**
 * Records of TensorBoard's event files: a protocol buffer `Event` between its length and checksums.
 *
 * @see tensorflow/core/util/event.proto, framework/summary.proto and lib/io/record_writer.h
 */

/** A number with its name. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

const key = (field: number, wire: keyof typeof WIRE): number[] => varint(field * 8 + WIRE[wire]);

function double(field: number, value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  return [...key(field, 'fixed64'), ...new Uint8Array(view.buffer)];
}

function float(field: number, value: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return [...key(field, 'fixed32'), ...new Uint8Array(view.buffer)];
}

function bytes(field: number, value: readonly number[]): number[] {
  return [...key(field, 'bytes'), ...varint(value.length), ...value];
}

const text = (field: number, value: string): number[] =>
  bytes(field, [...new TextEncoder().encode(value)]);

/** The checksum in the form in which it may itself stand in checked data. */
function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function record(event: readonly number[]): Uint8Array {
  const file = new Uint8Array(event.length + 16);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(event.length), true);
  view.setUint32(8, maskedCrc(file.subarray(0, 8)), true);
  file.set(event, 12);
  view.setUint32(12 + event.length, maskedCrc(file.subarray(12, 12 + event.length)), true);
  return file;
}

/** The first record of a file. */
export function versionRecord(wallTime: number): Uint8Array {
  return record([...double(1, wallTime), ...text(3, 'brain.Event:2')]);
}

/** `SessionLog.START`: readers drop what earlier files hold of this step and later ones. */
export function startRecord(wallTime: number, step: number): Uint8Array {
  const start = [...key(1, 'varint'), 1];
  return record([...double(1, wallTime), ...key(2, 'varint'), ...varint(step), ...bytes(7, start)]);
}

/** @param wallTime seconds since 1970 */
export function scalarRecord(
  wallTime: number,
  step: number,
  scalars: readonly Scalar[],
): Uint8Array {
  const summary = scalars.flatMap(({ tag, value }) =>
    bytes(1, [...text(1, tag), ...float(2, value)]),
  );
  return record([
    ...double(1, wallTime),
    ...key(2, 'varint'),
    ...varint(step),
    ...bytes(5, summary),
  ]);
}
