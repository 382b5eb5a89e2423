import {
  assign,
  DTypeError,
  type FirelightError,
  ShapeError,
  type Tensor,
  ValueError,
} from '@firelight/tensor';
import { formatShape, quote, quoteSome, sameShape } from '@firelight/tensor/extend';

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
function matchState(
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
function expectAgreement(op: string, pairs: readonly Pair[]): void {
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
  const other = b.array.numbers;
  return a.array.numbers.every((value, i) => Object.is(value, other[i]));
}

/** What a tensor of a state may differ in from the one that it is for, and how that is told. */
interface FitOptions {
  /** Whether the dtypes must be equal; false by default, for copying converts. */
  readonly sameDType?: boolean;
  /** The class of errors, other than the usual ones. */
  readonly error?: new (
    message: string,
  ) => FirelightError;
  /** Ends the message: what to do. */
  readonly remedy?: string;
}

/**
 * @param op begins the message: a function, or the file that holds the state
 * @throws ShapeError or DTypeError unless what a state has under a name is as what it is for
 */
export function expectFit(
  op: string,
  name: string,
  found: Tensor,
  like: Tensor,
  { sameDType = false, error, remedy = '' }: FitOptions = {},
): void {
  const isShaped = sameShape(found.shape, like.shape);
  if (isShaped && (!sameDType || found.dtype === like.dtype)) return;
  const describe = ({ dtype, shape }: Tensor): string => `${dtype} ${formatShape(shape)}`;
  throw new (error ?? (isShaped ? DTypeError : ShapeError))(
    `${op}: tensor ${quote(name)} is ${describe(found)}, expected ${describe(like)}${remedy}`,
  );
}

/** How a state is taken into a network. */
interface LoadRules extends Omit<FitOptions, 'remedy'> {
  /** Begins messages: a function, or the file that holds the state. */
  readonly op: string;
  /** The network's class, for messages. */
  readonly network: string;
  /** Whether names may be missing on neither side. */
  readonly strict: boolean;
  /** Names of the state that are passed over, though the network does not have them. */
  readonly isIgnored: (name: string) => boolean;
}

const SAME_OPTIONS = 'build the network with the options it was saved with';

/**
 * Checks all that would be copied from `state` into `own`; `commit` copies it, and cannot fail.
 *
 * @throws ValueError for names that do not match, ShapeError and DTypeError for tensors that do not
 *   fit, or `rules.error` for either; ValueError if the names of one tensor bring different values
 */
export function prepareState(
  own: Tensors,
  state: Tensors,
  rules: LoadRules,
): { missing: string[]; unexpected: string[]; commit: () => void } {
  const { op, network, strict, isIgnored, error } = rules;
  const { pairs, missing, unexpected: others } = matchState(own, state);
  const unexpected = others.filter((name) => !isIgnored(name));
  if (strict && (missing.length > 0 || unexpected.length > 0)) {
    throw new (error ?? ValueError)(
      `${op}: the names do not match those of ${network}` +
        `${listNames('missing', missing)}${listNames('unexpected', unexpected)}; ` +
        `load with strict: false to take only those that match, or ${SAME_OPTIONS}`,
    );
  }
  for (const { name, target, source } of pairs) {
    expectFit(op, name, source, target, { ...rules, remedy: `; ${SAME_OPTIONS}` });
  }
  expectAgreement(op, pairs);
  const commit = (): void => {
    for (const { target, source } of pairs) assign(target, source);
  };
  return { missing, unexpected, commit };
}

function listNames(title: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `; ${title}: ${quoteSome(names)}`;
}
