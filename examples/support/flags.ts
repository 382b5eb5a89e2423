import { ValueError } from '@firelight/tensor';

/** What the values of a flag are. */
export interface Kind<Value> {
  /** What `--help` writes behind the flag; null for a switch, which takes nothing. */
  readonly argument: string | null;
  /** What a value must be, for messages. */
  readonly rule: string;
  /** The range for `--help`, where the argument does not tell it. */
  readonly range?: string;
  accepts(value: unknown): value is Value;
  /** The value that a text means; `accepts` says whether it is one. */
  parse(text: string): unknown;
}

/** What else may hold of a flag. */
interface Extras<Value> {
  /** Another flag without which it means nothing, and the values of that which it goes with. */
  readonly goesWith?: { readonly flag: string; readonly values: readonly string[] };
  /** A switch that it cannot stand beside, and why: what this flag does instead. */
  readonly contradicts?: { readonly flag: string; readonly because: string };
  /** Its default where a recipe has another one. */
  readonly recipes?: Readonly<Record<string, Value>>;
  /** Whether a run that goes on may take it anew: it changes where and how, not what is trained. */
  readonly changeable?: boolean;
}

/** One flag of a command line: all that is known of it. */
export interface Flag<Value = unknown> extends Extras<Value> {
  readonly kind: Kind<Value>;
  readonly default: Value;
  readonly help: string;
}

export type Flags = Readonly<Record<string, Flag>>;
type Values = Readonly<Record<string, unknown>>;

/** The values of all flags of a table. */
export type ValuesOf<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer Value> ? Value : never;
};

const readNumber = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text));
const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

export const count: Kind<number> = {
  argument: 'count',
  rule: 'a whole number ≥ 0',
  accepts: (value): value is number => isNumber(value) && Number.isSafeInteger(value),
  parse: readNumber,
};

export const number: Kind<number> = {
  argument: 'number',
  rule: 'a number ≥ 0',
  accepts: isNumber,
  parse: readNumber,
};

export const share: Kind<number> = {
  argument: 'number',
  rule: 'a number in [0, 1)',
  range: 'in [0, 1)',
  accepts: (value): value is number => isNumber(value) && value < 1,
  parse: readNumber,
};

export const text: Kind<string> = {
  argument: 'text',
  rule: 'a text',
  accepts: (value) => typeof value === 'string',
  parse: (text) => text,
};

export const toggle: Kind<boolean> = {
  argument: null,
  rule: 'true or false',
  accepts: (value) => typeof value === 'boolean',
  parse: (text) => text,
};

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Kind<Choice> {
  return {
    argument: choices.join('|'),
    rule: `one of ${choices.join(', ')}`,
    accepts: (value): value is Choice => choices.some((choice) => choice === value),
    parse: (text) => text,
  };
}

/** Declares a flag; one without a default may be left out. */
export function flag<Value>(
  kind: Kind<Value>,
  preset: undefined,
  help: string,
  extras?: Extras<Value>,
): Flag<Value | undefined>;
export function flag<Value>(
  kind: Kind<Value>,
  preset: NoInfer<Value>,
  help: string,
  extras?: Extras<NoInfer<Value>>,
): Flag<Value>;
export function flag(kind: Kind<unknown>, preset: unknown, help: string, extras = {}): Flag {
  return { kind, default: preset, help, ...extras };
}

/** The lines of `--help`, one for each flag. */
export function helpLines(flags: Flags): string[] {
  const rows = Object.entries(flags).map(([name, { kind, default: preset, help }]) => {
    const isSwitch = kind.argument === null;
    const argument = isSwitch ? '' : ` <${kind.argument}>`;
    const written = isSwitch && preset === true ? `--[no-]${name}` : `--${name}${argument}`;
    const range = kind.range === undefined ? '' : `, ${kind.range}`;
    const shown = isSwitch || preset === undefined ? '' : ` (${preset})`;
    return { written, help: `${help}${range}${shown}` };
  });
  const width = rows.reduce((widest, { written }) => Math.max(widest, written.length), 0);
  return rows.map(({ written, help }) => `  ${written.padEnd(width)}  ${help}`);
}

/** What must hold of a value of a flag, and does not; null if it is one. */
export function problemOf({ kind, default: preset }: Flag, value: unknown): string | null {
  const isLeftOut = value === undefined && preset === undefined;
  return isLeftOut || kind.accepts(value) ? null : kind.rule;
}

/** @throws ValueError for a flag beside a switch that contradicts it */
export function expectNoContradiction(flags: Flags, values: Values): void {
  for (const [name, { default: preset, contradicts }] of Object.entries(flags)) {
    if (contradicts === undefined || values[name] === preset) continue;
    const { flag, because } = contradicts;
    if (values[flag] === true) throw new ValueError(`--${name} ${because}; leave --${flag} out`);
  }
}

/** @throws ValueError for a flag without the one that it goes with */
export function expectCompany(flags: Flags, values: Values): void {
  for (const [name, { default: preset, goesWith }] of Object.entries(flags)) {
    if (goesWith === undefined || values[name] === preset) continue;
    const { flag, values: wanted } = goesWith;
    if (wanted.includes(String(values[flag]))) continue;
    const choices = wanted.map((value) => written(flag, value)).join(' or ');
    throw new ValueError(`--${name} goes with ${choices}`);
  }
}

/** A flag as it is written on the command line. */
export function written(name: string, value: unknown): string {
  if (value === undefined) return `no --${name}`;
  if (typeof value === 'boolean') return value ? `--${name}` : `--no-${name}`;
  return `--${name} ${value}`;
}
