import type { F32, F64, I32, Value } from './scalars.ts';
import type { Vector } from './vector.ts';

/** A value that can be changed. */
export type Local<V extends Value | Vector> = V & {
  /** Gives it another value. */
  set(value: Operand<V>): void;
};
/** What a value may be given as: scalars also as plain numbers. */
export type Operand<V extends Value | Vector> = V extends I32 | F32 | F64 ? V | number : V;

/**
 * What a parameter is. WebAssembly knows `i32` and `f32` alone; the other names say of an i32 that it is
 * an address, a distance between addresses in bytes, or 0 or 1.
 */
export type ParameterType = 'i32' | 'f32' | 'address' | 'bytes' | 'flag';

/** Names and types of parameters, in order; what belongs together may be a group of its own. */
export interface ParameterTypes {
  readonly [name: string]: ParameterType | ParameterTypes;
}

export type LocalsOf<P extends ParameterTypes> = {
  readonly [Name in keyof P]: P[Name] extends ParameterTypes
    ? LocalsOf<P[Name]>
    : Local<P[Name] extends 'f32' ? F32 : I32>;
};

export type ArgumentsOf<P extends ParameterTypes> = {
  readonly [Name in keyof P]: P[Name] extends ParameterTypes
    ? ArgumentsOf<P[Name]>
    : P[Name] extends 'address'
      ? I32 // Nothing lies at an address that is known while code is made.
      : Operand<P[Name] extends 'f32' ? F32 : I32>;
};

/** Something for each parameter, in groups as they are. */
export interface Grouped<Item> {
  readonly [name: string]: Item | Grouped<Item>;
}

/** The type of a parameter in WebAssembly. */
export function valueTypeOf(type: ParameterType): 'i32' | 'f32' {
  return type === 'f32' ? 'f32' : 'i32';
}

/** The types of all parameters, groups laid open, in the order in which they are passed. */
export function flatTypes(parameters: ParameterTypes): ParameterType[] {
  return Object.values(parameters).flatMap((type) =>
    typeof type === 'string' ? [type] : flatTypes(type),
  );
}

/** What `make` gives for each parameter, called in the order in which they are passed. */
export function mapParameters<Item>(
  parameters: ParameterTypes,
  make: (type: ParameterType) => Item,
): Grouped<Item> {
  const entries = Object.entries(parameters).map(([name, type]) => {
    const item = typeof type === 'string' ? make(type) : mapParameters(type, make);
    return [name, item] as const;
  });
  return Object.fromEntries(entries);
}

/** Visits what belongs to each parameter, in the order in which they are passed. */
export function forParameters<Item>(
  parameters: ParameterTypes,
  items: Grouped<Item>,
  visit: (item: Item, type: ParameterType) => void,
): void {
  for (const name in parameters) {
    const type = parameters[name];
    const item = items[name];
    if (typeof type === 'string') visit(item as Item, type);
    else forParameters(type, item as Grouped<Item>, visit);
  }
}

/** Parameters that follow each other in one group: where it is, from the outermost on, and what is in it. */
export interface Stretch {
  readonly path: readonly string[];
  readonly names: readonly string[];
  readonly types: readonly ParameterType[];
}

/** All parameters, in the order in which they are passed. */
export function stretchesOf(parameters: ParameterTypes, path: readonly string[] = []): Stretch[] {
  const stretches: Stretch[] = [];
  let names: string[] = [];
  let types: ParameterType[] = [];
  const end = (): void => {
    if (names.length > 0) stretches.push({ path, names, types });
    [names, types] = [[], []];
  };
  for (const [name, type] of Object.entries(parameters)) {
    if (typeof type === 'string') {
      names.push(name);
      types.push(type);
    } else {
      end();
      for (const inner of stretchesOf(type, [...path, name])) stretches.push(inner);
    }
  }
  end();
  return stretches;
}
