import {
  defineFunction,
  type FunctionBuilder,
  type FunctionDefinition,
} from '../assembler/function.ts';
import type { LocalsOf, Parameters } from '../assembler/parameters.ts';
import { type I32, loadF32, loadI32 } from '../assembler/scalars.ts';

/**
 * A task is a kernel cut into numbered parts that threads take one by one. All parts of a job share
 * its fields, which lie in memory; a part may use the scratch memory of the thread that runs it.
 * What a part computes must depend on its number alone, never on the thread: so results are the
 * same for any number of threads.
 */
export interface TaskDefinition<Fields extends Parameters = Parameters> {
  readonly name: string;
  readonly fields: Fields;
  readonly definition: FunctionDefinition;
}

/** What a part knows: its number, and memory of its thread (`SCRATCH_BYTES`). */
export interface Part {
  readonly index: I32;
  readonly scratch: I32;
}

const PARAMETERS = { job: 'i32', index: 'i32', scratch: 'i32' } as const;

/** All tasks, in the order of their definition, which is that of the module's table. */
export const allTasks: TaskDefinition[] = [];

export function defineTask<const Fields extends Parameters>(
  name: string,
  fields: Fields,
  body: (f: FunctionBuilder, fields: LocalsOf<Fields>, part: Part) => void,
): TaskDefinition<Fields> {
  const definition = defineFunction(name, PARAMETERS, (f, { job, index, scratch }) => {
    const values = Object.entries(fields).map(([field, type], i) => {
      const value = type === 'i32' ? f.i32(loadI32(job, i * 4)) : f.f32(loadF32(job, i * 4));
      return [field, value] as const;
    });
    const locals = Object.fromEntries(values) as unknown as LocalsOf<Fields>; // One per field.
    body(f, locals, { index, scratch });
  });
  const task = { name, fields, definition: definition as FunctionDefinition };
  allTasks.push(task);
  return task as TaskDefinition<Fields>;
}
