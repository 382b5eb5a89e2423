import { Bytes } from './bytes.ts';
import { Constants } from './constants.ts';
import { Doubles } from './doubles.ts';
import { unsigned, VALUE_TYPE, type ValueType, vector } from './encoding.ts';
import type { Features } from './features.ts';
import { OPCODE } from './opcodes.ts';
import type { Local, Operand } from './parameters.ts';
import { constantLike, F32, F64, I32, type Value } from './scalars.ts';
import type { Vector } from './vector.ts';
import { Floats, Ints } from './vectors.ts';

/** The variables of a function, and the instructions written so far. */
export class Variables {
  /** Constant vectors, made once at the start of the function. */
  readonly constants = new Constants(() => this.#declare('v128'));
  /** What the code is made for. */
  readonly features: Features;
  readonly #parameterCount: number;
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];

  constructor(features: Features, parameterCount: number) {
    this.features = features;
    this.#parameterCount = parameterCount;
  }

  /** Lanes of `floats`, `ints` and `load`. */
  get lanes(): number {
    return this.features.lanes;
  }

  /** Appends instructions. */
  protected emit(...parts: readonly (readonly number[])[]): void {
    for (const part of parts) for (const byte of part) this.#code.push(byte);
  }

  /** A local with its number on the stack when read. */
  #bind<V extends Value>(value: V, index: number): Local<V> {
    const set = (operand: Operand<V>): void => {
      const result = typeof operand === 'number' ? constantLike(value, operand) : operand;
      this.emit((result as Value).code, [...OPCODE['local.set'], ...unsigned(index)]);
    };
    return Object.assign(value, { set });
  }

  #declare(type: ValueType): number {
    return this.#parameterCount + this.#locals.push(type) - 1;
  }

  #scalar<V extends Value>(
    type: ValueType,
    make: new (code: readonly number[]) => V,
    initial?: Operand<V>,
  ): Local<V> {
    const index = this.#declare(type);
    const local = this.#bind(new make([...OPCODE['local.get'], ...unsigned(index)]), index);
    if (initial !== undefined) local.set(initial);
    return local;
  }

  #vector<V extends Vector>(
    make: new (parts: readonly (readonly number[])[]) => V,
    partCount: number,
    initial?: V,
  ): Local<V> {
    const indices = Array.from({ length: partCount }, () => this.#declare('v128'));
    const set = ({ parts }: Vector): void => {
      indices.forEach((index, i) => {
        this.emit(parts.length === 1 ? parts[0] : parts[i], [
          ...OPCODE['local.set'],
          ...unsigned(index),
        ]);
      });
    };
    if (initial !== undefined) set(initial);
    const value = new make(indices.map((index) => [...OPCODE['local.get'], ...unsigned(index)]));
    return Object.assign(value, { set }) as Local<V>; // Its operands are all vectors.
  }

  /** The parameter at `index`. */
  parameter(type: 'i32' | 'f32', index: number): Local<I32> | Local<F32> {
    const code = [...OPCODE['local.get'], ...unsigned(index)];
    return type === 'i32' ? this.#bind(new I32(code), index) : this.#bind(new F32(code), index);
  }

  /** A new variable; without `initial` it starts at 0 and keeps its value between loop turns. */
  i32(initial?: I32 | number): Local<I32> {
    return this.#scalar('i32', I32, initial);
  }

  /** As `i32`, for one float32. */
  f32(initial?: F32 | number): Local<F32> {
    return this.#scalar('f32', F32, initial);
  }

  /** As `i32`, for one float64. */
  f64(initial?: F64 | number): Local<F64> {
    return this.#scalar('f64', F64, initial);
  }

  /** As many float32 as are computed at once. */
  floats(initial?: Floats): Local<Floats> {
    return this.#vector(Floats, this.lanes / 4, initial);
  }

  /** As many int32. */
  ints(initial?: Ints): Local<Ints> {
    return this.#vector(Ints, this.lanes / 4, initial);
  }

  /** Four float32 on every machine. */
  f32x4(initial?: Floats): Local<Floats> {
    return this.#vector(Floats, 1, initial);
  }

  /** Eight float32 on every machine: for sums, whose order must be the same. */
  f32x8(initial?: Floats): Local<Floats> {
    return this.#vector(Floats, 2, initial);
  }

  /** Four int32 on every machine. */
  i32x4(initial?: Ints): Local<Ints> {
    return this.#vector(Ints, 1, initial);
  }

  /** Sixteen bytes. */
  bytes(initial?: Bytes): Local<Bytes> {
    return this.#vector(Bytes, 1, initial);
  }

  /** Two float64. */
  f64x2(initial?: Doubles): Local<Doubles> {
    return this.#vector(Doubles, 1, initial);
  }

  /** Of as many parts as `other`, two float64 in each. */
  doublesLike(other: Vector, initial?: Doubles): Local<Doubles> {
    return this.#vector(Doubles, other.parts.length, initial);
  }

  /** `count` variables of as many float32 as are computed at once. */
  floatsOf(count: number): Local<Floats>[] {
    return Array.from({ length: count }, () => this.floats());
  }

  /** `count` variables of the kind of `i32`. */
  i32sOf(count: number): Local<I32>[] {
    return Array.from({ length: count }, () => this.i32());
  }

  /** Variables of as many lanes as `other`. */
  floatsLike(other: Vector, initial?: Floats): Local<Floats> {
    return this.#vector(Floats, other.parts.length, initial);
  }

  /** As `floatsLike`, for int32. */
  intsLike(other: Vector, initial?: Ints): Local<Ints> {
    return this.#vector(Ints, other.parts.length, initial);
  }

  /** The function's entry in the code section. */
  encode(): number[] {
    const locals = vector(this.#locals.map((type) => [1, VALUE_TYPE[type]]));
    const body = locals.concat(this.constants.code, this.#code, OPCODE.end);
    return unsigned(body.length).concat(body);
  }
}
