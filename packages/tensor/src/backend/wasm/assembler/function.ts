import { Constants } from './constants.ts';
import { EMPTY_BLOCK, unsigned, VALUE_TYPE, type ValueType, vector } from './encoding.ts';
import type { Features } from './features.ts';
import { loadFloats } from './loads.ts';
import { OPCODE } from './opcodes.ts';
import {
  type ArgumentsOf,
  forParameters,
  type Grouped,
  type Local,
  type LocalsOf,
  type Operand,
  type Parameters,
} from './parameters.ts';
import { constantLike, F32, F64, f32, I32, i32, memoryOperand, Value } from './scalars.ts';
import { perPart, type Vector } from './vector.ts';
import { Doubles, Floats, Ints } from './vectors.ts';

/** A function, whose code is made when a module that is being built first calls it. */
export interface FunctionDefinition<P extends Parameters = Parameters> {
  readonly name: string;
  readonly parameters: P;
  body(f: FunctionBuilder, parameters: LocalsOf<P>): void;
}

export function defineFunction<const P extends Parameters>(
  name: string,
  parameters: P,
  body: (f: FunctionBuilder, parameters: LocalsOf<P>) => void,
): FunctionDefinition<P> {
  return { name, parameters, body };
}

/** What a function needs of the module around it. */
export interface ModuleContext {
  readonly features: Features;
  indexOf(definition: FunctionDefinition): number;
}

/** A place to jump out of; see `FunctionBuilder.block`. */
export interface Label {
  /** Leaves the block if `condition` is not zero. */
  breakIf(condition: I32): void;
}

/** Writes the code of one function, statement by statement. */
export class FunctionBuilder {
  readonly constants = new Constants(() => this.#declare('v128'));
  readonly #context: ModuleContext;
  readonly #parameterCount: number;
  readonly #locals: ValueType[] = [];
  readonly #code: number[] = [];
  #depth = 0;

  constructor(context: ModuleContext, parameterCount: number) {
    this.#context = context;
    this.#parameterCount = parameterCount;
  }

  get features(): Features {
    return this.#context.features;
  }

  /** Lanes of `floats`, `ints` and `load`. */
  get lanes(): number {
    return this.features.lanes;
  }

  #emit(...parts: readonly (readonly number[])[]): void {
    for (const part of parts) for (const byte of part) this.#code.push(byte);
  }

  /** A local with its number on the stack when read. */
  #bind<V extends Value>(value: V, index: number): Local<V> {
    const set = (operand: Operand<V>): void => {
      const result = typeof operand === 'number' ? constantLike(value, operand) : operand;
      this.#emit((result as Value).code, [...OPCODE['local.set'], ...unsigned(index)]);
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
        this.#emit(parts.length === 1 ? parts[0] : parts[i], [
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

  f32x4(initial?: Floats): Local<Floats> {
    return this.#vector(Floats, 1, initial);
  }

  /** Eight float32 on every machine: for sums, whose order must be the same. */
  f32x8(initial?: Floats): Local<Floats> {
    return this.#vector(Floats, 2, initial);
  }

  i32x4(initial?: Ints): Local<Ints> {
    return this.#vector(Ints, 1, initial);
  }

  f64x2(initial?: Doubles): Local<Doubles> {
    return this.#vector(Doubles, 1, initial);
  }

  /** `count` variables of as many float32 as are computed at once. */
  floatsOf(count: number): Local<Floats>[] {
    return Array.from({ length: count }, () => this.floats());
  }

  /** Variables of as many lanes as `other`. */
  floatsLike(other: Vector, initial?: Floats): Local<Floats> {
    return this.#vector(Floats, other.parts.length, initial);
  }

  intsLike(other: Vector, initial?: Ints): Local<Ints> {
    return this.#vector(Ints, other.parts.length, initial);
  }

  /** As many float32 as are computed at once. */
  load(address: I32, offset = 0): Floats {
    return loadFloats(address, offset, this.lanes);
  }

  /** Writes a value to memory. */
  store(address: I32, value: Value | Vector, offset = 0): void {
    if (!(value instanceof Value)) {
      // All parts are computed before the first is written: V8 packs no loads across a store.
      for (const part of value.parts) this.#emit(address.code, part);
      for (let i = value.parts.length - 1; i >= 0; i--) {
        this.#emit(OPCODE['v128.store'], memoryOperand(2, offset + i * 16));
      }
      return;
    }
    const type = value instanceof I32 ? 'i32' : value instanceof F32 ? 'f32' : 'f64';
    this.#emit(address.code, value.code, OPCODE[`${type}.store`], memoryOperand(2, offset));
  }

  /** Writes two neighbouring lanes: 0 and 1, or 2 and 3. */
  storePair(address: I32, value: Floats, half: 0 | 1, offset = 0): void {
    this.#emit(
      address.code,
      value.parts[0],
      OPCODE['v128.store64_lane'],
      memoryOperand(2, offset),
      [half],
    );
  }

  /** a · b + c, rounded once where the machine can (`features.fma`), else twice. */
  multiplyAdd(a: Floats, b: Floats, c: Floats): Floats {
    if (!this.features.fma) return c.plus(a.times(b));
    return new Floats(perPart([a, b, c], OPCODE['f32x4.relaxed_madd']));
  }

  /** Runs `then` if `condition` is not zero, else `otherwise`. */
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.#emit(condition.code, OPCODE.if, EMPTY_BLOCK);
    this.#nested(then);
    if (otherwise !== undefined) {
      this.#emit(OPCODE.else);
      this.#nested(otherwise);
    }
    this.#emit(OPCODE.end);
  }

  /** Code that can be left early through `exit`. */
  block(body: (exit: Label) => void): void {
    this.#emit(OPCODE.block, EMPTY_BLOCK);
    this.#nested(() => body(this.#label()));
    this.#emit(OPCODE.end);
  }

  /** Runs `body` as long as `condition` is not zero. */
  while(condition: I32, body: () => void): void {
    this.block((exit) => {
      this.doWhile(() => {
        exit.breakIf(condition.isZero());
        body();
      }, i32(1));
    });
  }

  /** Runs `body` at least once, and again while `condition` is not zero: the cheapest loop. */
  doWhile(body: () => void, condition: I32): void {
    this.#emit(OPCODE.loop, EMPTY_BLOCK);
    this.#nested(() => {
      const again = this.#label();
      body();
      again.breakIf(condition); // A jump to a loop's label goes to its start.
    });
    this.#emit(OPCODE.end);
  }

  /** `for (i = from; i < to; i += step)`; `to` is computed before each turn. */
  for(from: I32 | number, to: I32 | number, step: I32 | number, body: (i: I32) => void): void {
    const i = this.i32(from);
    this.while(i.lessThan(to), () => {
      body(i);
      i.set(i.plus(step));
    });
  }

  /** Calls another function; this module then has it too. */
  call<P extends Parameters>(definition: FunctionDefinition<P>, values: ArgumentsOf<P>): void {
    const all = values as Grouped<Value | number>; // One for each parameter.
    forParameters(definition.parameters, all, (value, type) => {
      const like = typeof value !== 'number' ? value : type === 'f32' ? f32(value) : i32(value);
      this.#emit(like.code);
    });
    const index = this.#context.indexOf(definition as FunctionDefinition);
    this.#emit(OPCODE.call, unsigned(index));
  }

  /** Any instruction that leaves nothing on the stack. */
  raw(...parts: readonly (readonly number[])[]): void {
    this.#emit(...parts);
  }

  #nested(body: () => void): void {
    this.#depth++;
    body();
    this.#depth--;
  }

  #label(): Label {
    const target = this.#depth;
    return {
      breakIf: (condition) => {
        const relative = unsigned(this.#depth - target);
        if (condition.constant === 1) this.#emit(OPCODE.br, relative);
        else this.#emit(condition.code, OPCODE.br_if, relative);
      },
    };
  }

  /** The function's entry in the code section. */
  encode(): number[] {
    const locals = vector(this.#locals.map((type) => [1, VALUE_TYPE[type]]));
    const body = locals.concat(this.constants.code, this.#code, OPCODE.end);
    return unsigned(body.length).concat(body);
  }
}
