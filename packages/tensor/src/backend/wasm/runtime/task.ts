import {
  defineFunction,
  type FunctionBuilder,
  type FunctionDefinition,
} from '../assembler/function.ts';
import { type LocalsOf, mapParameters, type ParameterTypes } from '../assembler/parameters.ts';
import { type I32, loadF32, loadI32 } from '../assembler/scalars.ts';
import type { Address } from './address.ts';
import { TASK_PARAMETERS } from './threads.ts';

/**
 * A task is a kernel cut into numbered parts that threads take one by one. All parts of a job share
 * its fields, which lie in memory; a part may use the scratch memory of the thread that runs it.
 * What a part computes must depend on its number alone, never on the thread: so results are the
 * same for any number of threads.
 */
export interface TaskDefinition<Fields extends ParameterTypes = ParameterTypes> {
  readonly name: string;
  readonly fields: Fields;
  readonly definition: FunctionDefinition;
}

/** What a part knows: its number, and memory of its thread (`SCRATCH_BYTES`). */
export interface Part {
  readonly index: I32;
  readonly scratch: I32;
}

/** Values for the fields of a task. */
export type FieldValues<Fields extends ParameterTypes> = {
  readonly [Name in keyof Fields]: Fields[Name] extends ParameterTypes
    ? FieldValues<Fields[Name]>
    : ValueOf<Fields[Name]>;
};

type ValueOf<Type> = Type extends 'address' ? Address : Type extends 'flag' ? boolean : number;

/** All tasks, in the order of their definition. */
export const allTasks: TaskDefinition[] = [];

/**
 * Defines a task. Its code is assembled when it first runs: `body` is called then, and for each kind of
 * machine code anew.
 *
 * @param name for messages and profiles
 * @param fields names and types of what a call passes, the same for all parts
 * @param body writes the code of one part
 */
export function defineTask<const Fields extends ParameterTypes>(
  name: string,
  fields: Fields,
  body: (f: FunctionBuilder, fields: LocalsOf<Fields>, part: Part) => void,
): TaskDefinition<Fields> {
  const definition = defineFunction(name, TASK_PARAMETERS, (f, { job, index, scratch }) => {
    let offset = 0;
    const locals = mapParameters(fields, (type) => {
      const at = offset;
      offset += 4;
      return type === 'f32' ? f.f32(loadF32(job, at)) : f.i32(loadI32(job, at));
    });
    body(f, locals as unknown as LocalsOf<Fields>, { index, scratch }); // One local per field.
  });
  const task = { name, fields, definition: definition as FunctionDefinition };
  allTasks.push(task);
  return task as TaskDefinition<Fields>;
}
