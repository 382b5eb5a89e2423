import { EMPTY_BLOCK, unsigned } from './encoding.ts';
import type { Features } from './features.ts';
import { loadFloats } from './loads.ts';
import { OPCODE } from './opcodes.ts';
import {
  type ArgumentsOf,
  forParameters,
  type Grouped,
  type LocalsOf,
  type ParameterTypes,
} from './parameters.ts';
import { F32, f32, I32, i32, memoryOperand, Value } from './scalars.ts';
import { Variables } from './variables.ts';
import { perPart, type Vector } from './vector.ts';
import { Floats } from './vectors.ts';

/** A function, whose code is made when a module that is being built first calls it. */
export interface FunctionDefinition<P extends ParameterTypes = ParameterTypes> {
  readonly name: string;
  readonly parameters: P;
  body(f: FunctionBuilder, parameters: LocalsOf<P>): void;
}

export function defineFunction<const P extends ParameterTypes>(
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
  /** The index of the type of functions with these parameters. */
  typeOf(parameters: ParameterTypes): number;
}

/** A place to jump out of; see `FunctionBuilder.block`. */
export interface Label {
  /** Leaves the block if `condition` is not zero. */
  breakIf(condition: I32): void;
}

/** Writes the code of one function, statement by statement. */
export class FunctionBuilder extends Variables {
  readonly #context: ModuleContext;
  #depth = 0;

  constructor(context: ModuleContext, parameterCount: number) {
    super(context.features, parameterCount);
    this.#context = context;
  }

  /** As many float32 as are computed at once. */
  load(address: I32, offset = 0): Floats {
    return loadFloats(address, offset, this.lanes);
  }

  /** Writes a value to memory. */
  store(address: I32, value: Value | Vector, offset = 0): void {
    if (!(value instanceof Value)) {
      // All parts are computed before the first is written: V8 packs no loads across a store.
      for (const part of value.parts) this.emit(address.code, part);
      for (let i = value.parts.length - 1; i >= 0; i--) {
        this.emit(OPCODE['v128.store'], memoryOperand(2, offset + i * 16));
      }
      return;
    }
    const type = value instanceof I32 ? 'i32' : value instanceof F32 ? 'f32' : 'f64';
    this.emit(address.code, value.code, OPCODE[`${type}.store`], memoryOperand(2, offset));
  }

  /** Writes the lowest byte. */
  storeByte(address: I32, value: I32): void {
    this.emit(address.code, value.code, OPCODE['i32.store8'], memoryOperand(0, 0));
  }

  /** Writes two neighbouring lanes: 0 and 1, or 2 and 3. */
  storePair(address: I32, value: Floats, half: 0 | 1, offset = 0): void {
    this.emit(address.code, value.parts[0], OPCODE['v128.store64_lane'], memoryOperand(2, offset), [
      half,
    ]);
  }

  /** a · b + c, rounded once where the machine can (`features.fma`), else twice. */
  multiplyAdd(a: Floats, b: Floats, c: Floats): Floats {
    if (!this.features.fma) return c.plus(a.times(b));
    return new Floats(perPart([a, b, c], OPCODE['f32x4.relaxed_madd']));
  }

  /** Runs `then` if `condition` is not zero, else `otherwise`. */
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.emit(condition.code, OPCODE.if, EMPTY_BLOCK);
    this.#nested(then);
    if (otherwise !== undefined) {
      this.emit(OPCODE.else);
      this.#nested(otherwise);
    }
    this.emit(OPCODE.end);
  }

  /** Code that can be left early through `exit`. */
  block(body: (exit: Label) => void): void {
    this.emit(OPCODE.block, EMPTY_BLOCK);
    this.#nested(() => body(this.#label()));
    this.emit(OPCODE.end);
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
    this.emit(OPCODE.loop, EMPTY_BLOCK);
    this.#nested(() => {
      const again = this.#label();
      body();
      again.breakIf(condition); // A jump to a loop's label goes to its start.
    });
    this.emit(OPCODE.end);
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
  call<P extends ParameterTypes>(definition: FunctionDefinition<P>, values: ArgumentsOf<P>): void {
    this.#push(definition.parameters, values);
    const index = this.#context.indexOf(definition as FunctionDefinition);
    this.emit(OPCODE.call, unsigned(index));
  }

  /** Calls the function at a place of the table, which has these parameters. */
  callIndirect<P extends ParameterTypes>(parameters: P, values: ArgumentsOf<P>, place: I32): void {
    this.#push(parameters, values);
    const type = this.#context.typeOf(parameters);
    this.emit(place.code, OPCODE.call_indirect, unsigned(type), unsigned(0)); // table 0
  }

  #push<P extends ParameterTypes>(parameters: P, values: ArgumentsOf<P>): void {
    const all = values as Grouped<Value | number>; // One for each parameter.
    forParameters(parameters, all, (value, type) => {
      const like = typeof value !== 'number' ? value : type === 'f32' ? f32(value) : i32(value);
      this.emit(like.code);
    });
  }

  /** Any instruction that leaves nothing on the stack. */
  raw(...parts: readonly (readonly number[])[]): void {
    this.emit(...parts);
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
        if (condition.constant === 1) this.emit(OPCODE.br, relative);
        else this.emit(condition.code, OPCODE.br_if, relative);
      },
    };
  }
}
