import type { ByteSource } from './byte-source.ts';
import { INSTRUCTIONS } from './pickle-instructions.ts';
import type { PickleValue } from './pickle-values.ts';
import { type UnpickleOptions, Unpickler } from './unpickler.ts';

const STOP = 0x2e;

/**
 * Reads a pickle of Python (protocols 2 to 5): numbers, strings, lists, tuples, dicts, and what the
 * caller lets stand for the names that it allows. It runs nothing: every other name of a class or
 * function is refused.
 *
 * @returns the value, and where the pickle ends
 * @throws FormatError, or the source's own error, if it is cut, damaged, or holds anything else
 * @see Python's Lib/pickletools.py for the instructions
 */
export function unpickle(
  source: ByteSource,
  options: UnpickleOptions,
): { readonly value: PickleValue; readonly end: number } {
  const { mostInstructions = Number.POSITIVE_INFINITY } = options;
  const machine = new Unpickler(source, options);
  for (let step = 0; step < mostInstructions; step++) {
    const code = machine.nextCode();
    if (code === STOP) return { value: machine.pop(), end: machine.at };
    const act = INSTRUCTIONS[code];
    if (act === undefined) {
      throw machine.error(`there is no instruction 0x${code.toString(16).padStart(2, '0')}`);
    }
    act(machine);
  }
  throw machine.error(`more than ${mostInstructions} instructions, too many`);
}
