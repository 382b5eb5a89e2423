import { ValueError } from '@firelight/tensor';
import type { Flags, ValuesOf } from './flags.ts';
import { readArguments } from './read-arguments.ts';

/**
 * The values of the flags that are given.
 *
 * @param help the command that prints the help
 * @throws ValueError with one sentence for an unknown flag or a value that does not fit
 */
export function parseFlags<const Table extends Flags>(
  flags: Table,
  args: readonly string[],
  help: string,
): Partial<ValuesOf<Table>> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => {
      return [name, { type: kind.argument === null ? 'boolean' : 'string' } as const];
    }),
  );
  const config = { args: [...args], options, allowNegative: true };
  const given = Object.entries(readArguments(config, help).values).map(([name, raw]) => {
    const { kind } = flags[name];
    const value = typeof raw === 'string' ? kind.parse(raw) : raw;
    if (!kind.accepts(value)) {
      throw new ValueError(`--${name} must be ${kind.rule}, got '${raw}'`);
    }
    return [name, value];
  });
  return Object.fromEntries(given) as Partial<ValuesOf<Table>>; // As each kind accepted its value.
}
