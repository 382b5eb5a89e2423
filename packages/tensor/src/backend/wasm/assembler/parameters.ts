import type { F32, F64, I32, Value } from './scalars.ts';
import type { Vector } from './vector.ts';

/** A value that can be changed. */
export type Local<V extends Value | Vector> = V & { set(value: Operand<V>): void };
/** What a value may be given as: scalars also as plain numbers. */
export type Operand<V extends Value | Vector> = V extends I32 | F32 | F64 ? V | number : V;

/** Names and types of parameters, in order. */
export type Parameters = Readonly<Record<string, 'i32' | 'f32'>>;
export type LocalsOf<P extends Parameters> = {
  readonly [Name in keyof P]: Local<P[Name] extends 'i32' ? I32 : F32>;
};
export type ArgumentsOf<P extends Parameters> = {
  readonly [Name in keyof P]: Operand<P[Name] extends 'i32' ? I32 : F32>;
};
