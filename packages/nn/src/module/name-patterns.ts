import { ValueError } from '@firelight/tensor';
import { editDistance, expectThat, quote, quoteSome } from '@firelight/tensor/extend';

/**
 * Names parameters. A text is the full name of a parameter, or of a module and so of all inside it; in it
 * `*` stands for any characters but dots, and `**` for any number of names between dots:
 * `'features.0'`, `'features.*'`, `'**.bias'`, `'block*.conv1.weight'`. A RegExp is looked for in the
 * full names of parameters.
 */
export type NamePattern = string | RegExp;

const SHOWN = 3;

/** Whether a pattern means the parameter of a full name. */
function meansName(pattern: NamePattern): (name: string) => boolean {
  // Unlike `test`, `search` begins at the start also with the flag `g`.
  if (typeof pattern !== 'string') return (name) => name.search(pattern) !== -1;
  const parts = pattern.split('.').map((part) => (part === '**' ? null : partPattern(part)));
  return (name) => startsAs(parts, name.split('.'));
}

function partPattern(part: string): RegExp {
  const literals = part.split('*').map((text) => text.replace(/[\\^$+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`, 's');
}

/** Whether the first parts of a name fit; null fits any number of them. */
function startsAs(pattern: readonly (RegExp | null)[], name: readonly string[]): boolean {
  if (pattern.length === 0) return true;
  const [first, ...rest] = pattern;
  if (first === null && startsAs(rest, name)) return true;
  if (name.length === 0 || (first !== null && !first.test(name[0]))) return false;
  return startsAs(first === null ? pattern : rest, name.slice(1));
}

/**
 * What a pattern names of some named values.
 *
 * @param texts the operation, how the error begins, and other names that may have been meant
 * @throws ValueError for what is no pattern, and for one that names nothing
 */
export function pickNamed<Value>(
  pattern: NamePattern,
  named: readonly (readonly [name: string, value: Value])[],
  { op, message, others }: { op: string; message: string; others: readonly string[] },
): Value[] {
  const isPattern = typeof pattern === 'string' || pattern instanceof RegExp;
  expectThat(isPattern, op, 'pattern', "a name such as 'features.*', or a RegExp", pattern);
  const isMeant = meansName(pattern);
  const found = named.filter(([name]) => isMeant(name)).map(([, value]) => value);
  if (found.length > 0) return found;
  throw noSuchName(message, pattern, [...others, ...named.map(([name]) => name)]);
}

/** The error for something that is looked for by name and is not there, with what is named alike. */
export function noSuchName(
  message: string,
  pattern: NamePattern,
  names: readonly string[],
): ValueError {
  const sought = typeof pattern === 'string' ? pattern : lettersOf(pattern);
  const nearest = [...new Set(names)]
    .map((name) => ({ name, distance: editDistance(sought, name) }))
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length)
    .slice(0, SHOWN)
    .map(({ name }) => name);
  const hint = nearest.length === 0 ? 'there are no names' : `near are ${quoteSome(nearest)}`;
  const shown = typeof pattern === 'string' ? quote(pattern) : String(pattern);
  return new ValueError(`${message} ${shown}; ${hint}`);
}

/** What a RegExp says in letters, with `*` for the rest. */
function lettersOf({ source }: RegExp): string {
  return source.replace(/\\\./g, '.').replace(/\\[a-z]|[^\w.]/gi, '*');
}
