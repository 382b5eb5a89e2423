import {
  assign,
  formatShape,
  quote,
  quoteSome,
  ShapeError,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { sameShape } from '@firelight/tensor/extend';

type Tensors = Readonly<Record<string, Tensor>>;

/** A tensor of a network with all its names. */
interface NamedTensor {
  readonly names: readonly string[];
  readonly tensor: Tensor;
}

/** What is copied where. */
interface Pair {
  readonly name: string;
  readonly target: Tensor;
  readonly source: Tensor;
}

/** The tensors of a state, each once: names that share memory belong to one. */
export function tensorsOf(state: Tensors): readonly NamedTensor[] {
  const found = new Map<Tensor['array'], { names: string[]; tensor: Tensor }>();
  for (const [name, tensor] of Object.entries(state)) {
    const present = found.get(tensor.array);
    if (present === undefined) found.set(tensor.array, { names: [name], tensor });
    else present.names.push(name);
  }
  return [...found.values()];
}

/**
 * What of `state` belongs to which tensor of `own`.
 *
 * @returns the pairs by `own`'s names; its names of tensors of which no name is in `state`; names that
 *   only `state` has
 */
export function matchState(
  own: Tensors,
  state: Tensors,
): { pairs: Pair[]; missing: string[]; unexpected: string[] } {
  const has = (name: string): boolean => Object.hasOwn(state, name);
  const pairs = Object.keys(own)
    .filter(has)
    .map((name) => ({ name, target: own[name], source: state[name] }));
  const missing = tensorsOf(own).flatMap(({ names }) => (names.some(has) ? [] : names));
  const unexpected = Object.keys(state).filter((name) => !Object.hasOwn(own, name));
  return { pairs, missing, unexpected };
}

/** @throws ValueError if the names of one tensor bring different values; the shapes must be checked */
export function expectAgreement(op: string, pairs: readonly Pair[]): void {
  const first = new Map<Tensor['array'], Pair>();
  for (const pair of pairs) {
    const other = first.get(pair.target.array);
    if (other === undefined) first.set(pair.target.array, pair);
    else if (!sameElements(other.source, pair.source)) {
      throw new ValueError(
        `${op}: '${other.name}' and '${pair.name}' are names of one tensor here, but their values ` +
          'differ; leave one of them out',
      );
    }
  }
}

function sameElements(a: Tensor, b: Tensor): boolean {
  if (a.array === b.array) return true;
  const other = b.array.data;
  return a.array.data.every((value, i) => Object.is(value, other[i]));
}

/**
 * Copies what of `state` belongs to `own`, or nothing if anything does not fit; see
 * `Module.loadStateDict`.
 *
 * @param network its class, for messages
 */
export function loadState(
  network: string,
  own: Tensors,
  state: Tensors,
  { strict, isIgnored }: { strict: boolean; isIgnored: (name: string) => boolean },
): { missing: string[]; unexpected: string[] } {
  const { pairs, missing, unexpected: others } = matchState(own, state);
  const unexpected = others.filter((name) => !isIgnored(name));
  if (strict && (missing.length > 0 || unexpected.length > 0)) {
    throw new ValueError(
      `loadStateDict: the names do not match those of ${network}` +
        `${listNames('missing', missing)}${listNames('unexpected', unexpected)}; ` +
        'load with strict: false to take only those that match',
    );
  }
  for (const { name, target, source } of pairs) {
    if (!sameShape(source.shape, target.shape)) {
      throw new ShapeError(
        `loadStateDict: ${quote(name)} has shape ${formatShape(source.shape)}, ` +
          `the network expects ${formatShape(target.shape)}`,
      );
    }
  }
  expectAgreement('loadStateDict', pairs);
  for (const { target, source } of pairs) assign(target, source);
  return { missing, unexpected };
}

function listNames(title: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `; ${title}: ${quoteSome(names)}`;
}

/** @throws ShapeError unless what a state has under a name is shaped as what it is for */
export function expectShape(op: string, name: string, found: Tensor, like: Tensor): void {
  if (sameShape(found.shape, like.shape)) return;
  throw new ShapeError(
    `${op}: ${quote(name)} has shape ${formatShape(found.shape)}, expected ${formatShape(like.shape)}`,
  );
}
