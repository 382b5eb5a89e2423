import fc from 'fast-check';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Values of every type, many of them at the edges of what a state may hold. */
const value: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, '', '0', 'x', [], {}, [[]], { a: null }, [0, 0]),
  fc.constantFrom<Json>(0, -0, -1, 1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e308, 5e-324),
  fc.constantFrom<Json>('../evil', '../../../out/evil', '/etc/evil', 'C:\\evil', 'a\u0000b', '..'),
  fc.constantFrom<Json>('NUL', 'con.txt', 'a/b', 'a\\b', '\u001b[2J', '\u202eevil', 'NaN', '-5'),
  fc.constantFrom<Json>('1e308', '1.5', ' 1', '0x10', '9'.repeat(400), 'x'.repeat(100_000)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number): Json => number),
  fc.integer().map((number): Json => number),
  fc.string().map((text): Json => text),
);

interface Change {
  readonly kind: 'replace' | 'remove' | 'add' | 'nudge' | 'wrap' | 'repeat';
  /** Which of all places, modulo their count. (`fc.double` would draw mostly the first ones.) */
  readonly place: number;
  readonly value: Json;
  readonly name: string;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('replace', 'remove', 'add', 'nudge', 'wrap', 'repeat'),
  place: fc.nat({ max: 9999 }),
  value,
  name: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'prefix')),
});

type Place = readonly [parent: Json[] | { [name: string]: Json }, key: string];

/** Every value inside another one, with where it is. */
function placesIn(json: Json): Place[] {
  if (typeof json !== 'object' || json === null) return [];
  const parent = json as { [name: string]: Json };
  return Object.keys(json).flatMap((key) => [[parent, key] as const, ...placesIn(parent[key])]);
}

/** A small step away, of the same type. */
function nudged(json: Json): Json {
  if (typeof json === 'number') return json + (json % 2 === 0 ? 0.5 : -2 * Math.abs(json) - 1);
  if (typeof json === 'string') return `${json}\u0000`;
  if (typeof json === 'boolean') return !json;
  if (Array.isArray(json)) return json.slice(1);
  return null;
}

function applyChange(json: Json, { kind, place, value: other, name }: Change): Json {
  const places = placesIn(json);
  if (places.length === 0) return other;
  const [parent, key] = places[place % places.length];
  const holder = parent as { [name: string]: Json };
  const set = (at: string, to: Json): void => {
    // Also under the name `__proto__`.
    Object.defineProperty(holder, at, {
      value: to,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  };
  const old = holder[key];
  if (kind === 'replace') set(key, other);
  else if (kind === 'nudge') set(key, nudged(old));
  else if (kind === 'wrap') set(key, [old]);
  else if (kind === 'add') set(Array.isArray(parent) ? String(parent.length) : name, other);
  else if (kind === 'repeat') set(key, [old, old]);
  else if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return json;
}

/** `original` after one to three random changes that know the types of JSON. */
export const jsonMutantsOf = (original: Json): fc.Arbitrary<Json> =>
  fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce(applyChange, structuredClone(original)));
