import { highToDoubles, lowToDoubles, splatF64 } from '../../assembler/doubles.ts';
import type { FunctionBuilder } from '../../assembler/function.ts';
import { loadF64x2, loadFloats, loadSplat } from '../../assembler/loads.ts';
import type { Local, LocalsOf } from '../../assembler/parameters.ts';
import { f64, type I32 } from '../../assembler/scalars.ts';
import { type Floats, splat } from '../../assembler/vectors.ts';
import { type Address, addressAfter } from '../../runtime/address.ts';
import type { Frame } from '../../runtime/frame.ts';
import { defineTask, type FieldValues } from '../../runtime/task.ts';
import { halvesOf } from '../lanes/halves.ts';
import { COLLECTED_VECTORS } from '../lanes/long-sum.ts';
import { CHUNK } from '../loops/flat-arrays.ts';
import { partRange } from '../loops/part-range.ts';
import { forPlane } from '../loops/planes.ts';
import { sumAxis } from '../reduce/sum-axis.ts';
import { type ChannelValue, rowOf, TABLE } from './channel-rows.ts';

/** Images as rows of C · H · W elements, beside which are rows with the values of their channels. */

const FIELDS = {
  x: 'address',
  gradOut: 'address',
  rows: 'i32',
  /** Elements of a row. */
  length: 'i32',
  table: TABLE,
} as const;

export type Operand = 'x' | 'gradOut' | ChannelValue;

/** Some neighbouring elements of an operand. */
export type Read = (operand: Operand) => Floats;

/** Addresses of operands in one row, which move along. */
class Operands {
  readonly addresses: ReadonlyMap<Operand, Local<I32>>;

  constructor(f: FunctionBuilder, operands: readonly Operand[]) {
    this.addresses = new Map(operands.map((operand) => [operand, f.i32()]));
  }

  /** Goes to the element `at` bytes behind the start of a row. */
  goTo(p: LocalsOf<typeof FIELDS>, row: I32, at: I32): void {
    const start = row.times(p.length).times(4).plus(at);
    for (const [operand, address] of this.addresses) {
      const isValue = operand !== 'x' && operand !== 'gradOut';
      address.set(isValue ? rowOf(p.table, operand).plus(at) : p[operand].plus(start));
    }
  }

  reader(load: (address: I32) => Floats): Read {
    return (operand) => load(this.addresses.get(operand) as I32);
  }
}

/** target = a function of some operands, element by element. */
export function defineElements(
  name: string,
  operands: readonly Operand[],
  result: (f: FunctionBuilder, read: Read) => Floats,
) {
  const fields = { ...FIELDS, target: 'address', rowsOfPart: 'i32' } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.rowsOfPart, p.rows);
    const row = new Operands(f, operands);
    const target = f.i32(p.target.plus(first.times(p.length).times(4)));
    f.for(first, end, 1, (number) => {
      row.goTo(p, number, f.i32(0));
      forPlane(f, p.length, [target, ...row.addresses.values()], {
        vector(lanes) {
          f.store(
            target,
            result(
              f,
              row.reader((address) => loadFloats(address, 0, lanes)),
            ),
          );
        },
        // As a vector, which a fused multiply-add rounds as it rounds the others.
        single() {
          f.store(
            target,
            result(
              f,
              row.reader((address) => loadSplat(address)),
            ).lane(0),
          );
        },
      });
    });
  });
}

/** Columns of which one part adds up at least so many. */
const COLUMNS = 16;

/** sums[i] = Σ over rows of functions of some operands, as float64. */
export function defineColumns(
  name: string,
  operands: readonly Operand[],
  terms: (f: FunctionBuilder, read: Read) => readonly Floats[],
  count: number,
) {
  const fields = {
    ...FIELDS,
    sums: { address: 'address', pitch: 'bytes' },
    columnsOfPart: 'i32',
  } as const;
  return defineTask(name, fields, (f, p, { index }) => {
    const { first, end } = partRange(f, index, p.columnsOfPart, p.length);
    const rowBytes = f.i32(p.length.times(4));
    const row = new Operands(f, operands);
    const left = f.i32();
    const target = f.i32();
    const column = f.i32(first);
    for (const vectors of [2, 1]) {
      const sums = Array.from({ length: count }, () =>
        Array.from({ length: vectors }, () => f.f32x8()),
      );
      const forSums = (body: (sum: Local<Floats>, bytes: number) => void): void =>
        sums.forEach((ofTerm, term) => {
          target.set(p.sums.address.plus(p.sums.pitch.times(term)).plus(column.times(8)));
          ofTerm.forEach((sum, vector) => {
            body(sum, vector * 64);
          });
        });
      const isWithin = vectors === 1 ? column.lessThan(end) : column.plus(COLUMNS).atMost(end);
      f.while(isWithin, () => {
        forSums((_, bytes) => {
          for (let at = 0; at < 64; at += 16) f.store(target, splatF64(f64(0)), bytes + at);
        });
        row.goTo(p, f.i32(0), f.i32(column.times(4)));
        left.set(p.rows);
        f.while(left.greaterThan(0), () => {
          const leftAfterBlock = f.i32(left.minus(COLLECTED_VECTORS));
          leftAfterBlock.set(leftAfterBlock.max(0));
          for (const ofTerm of sums) for (const sum of ofTerm) sum.set(splat(0));
          f.doWhile(() => {
            for (let vector = 0; vector < vectors; vector++) {
              const read = row.reader((address) => loadFloats(address, vector * 32, 8));
              terms(f, read).forEach((value, term) => {
                sums[term][vector].set(sums[term][vector].plus(value));
              });
            }
            for (const operand of ['x', 'gradOut'] as const) {
              const address = row.addresses.get(operand);
              address?.set(address.plus(rowBytes));
            }
            left.set(left.minus(1));
          }, left.greaterThan(leftAfterBlock));
          forSums((sum, bytes) => {
            halvesOf(f, sum).forEach((half, number) => {
              const at = bytes + number * 32;
              f.store(target, loadF64x2(target, at).plus(lowToDoubles(half)), at);
              f.store(target, loadF64x2(target, at + 16).plus(highToDoubles(half)), at + 16);
            });
          });
        });
        column.set(column.plus(vectors * 8));
      });
    }
  });
}

/** Images as rows. */
export interface Rows {
  readonly images: number;
  readonly channels: number;
  readonly area: number;
}

type Sources = Pick<FieldValues<typeof FIELDS>, 'x' | 'gradOut' | 'table'>;

const fieldsOf = ({ images, channels, area }: Rows) => ({ rows: images, length: channels * area });

export function runElements(
  frame: Frame,
  task: ReturnType<typeof defineElements>,
  rows: Rows,
  sources: Sources,
  target: Address,
): void {
  const fields = fieldsOf(rows);
  const rowsOfPart = Math.max(1, Math.floor(CHUNK / fields.length));
  const parts = Math.ceil(rows.images / rowsOfPart);
  frame.run(task, parts, { ...fields, ...sources, target, rowsOfPart });
}

/** targets[c] = the sums over images and pixels of the task's terms, divided by `divisor`. */
export function runColumns(
  frame: Frame,
  task: ReturnType<typeof defineColumns>,
  rows: Rows,
  sources: Sources,
  targets: readonly Address[],
  divisor: number,
): void {
  const { channels, area } = rows;
  const fields = fieldsOf(rows);
  const pitch = (fields.length + 8) * 8; // The last vector may reach over the end.
  const sums = { address: frame.temporary(targets.length * pitch), pitch };
  const blocks = Math.max(1, Math.floor(CHUNK / (COLUMNS * Math.max(1, rows.images))));
  const columnsOfPart = blocks * COLUMNS;
  const parts = Math.ceil(fields.length / columnsOfPart);
  frame.run(task, parts, { ...fields, ...sources, sums, columnsOfPart });
  targets.forEach((address, term) => {
    const ofTerm = { address: addressAfter(sums.address, term * pitch), areSums: true };
    sumAxis(frame, ofTerm, { outer: channels, length: area, inner: 1 }, { address, divisor });
  });
}
