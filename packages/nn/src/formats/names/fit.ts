import type { Module } from '../../module/module.ts';
import { isOfTraining } from '../training-names.ts';
import type { Dialect } from './dialect.ts';
import { dialectsOf } from './dialects.ts';
import { type OwnTensor, ownTensors } from './own-tensors.ts';

/** The names that a network's tensors may have. */
export interface NamedNetwork {
  readonly own: readonly OwnTensor[];
  readonly dialects: readonly Dialect[];
}

export function namedNetwork(network: Module): NamedNetwork {
  return { own: ownTensors(network), dialects: dialectsOf(network) };
}

/** How the names of a file fit those of a network, by one dialect. */
export interface Fit {
  readonly dialect: Dialect;
  /** What stands before all names in the file: `''`, or `'module.'`. */
  readonly prefix: string;
  readonly own: readonly OwnTensor[];
  /** Our name of each tensor that both have, by the name in the file. */
  readonly ours: ReadonlyMap<string, string>;
  /** Biases of convolutions that the file's network is without, so that here they are zeros. */
  readonly zeros: readonly string[];
  /** Names of the network that the file does not have, other than those. */
  readonly missing: readonly string[];
  /** Names of the file that the network does not have. */
  readonly unused: readonly string[];
}

/** What PyTorch keeps of a norm, and only an average without weights needs. */
const BATCHES = /\.num_batches_tracked$/;

/**
 * The dialect that fits best: with the most names that both sides have. Of those that fit equally well,
 * the one of `origin` is taken, or else the likeliest.
 */
export function bestFit(
  { own, dialects }: NamedNetwork,
  names: readonly string[],
  origin?: string,
): Fit {
  const fits = dialects.map((dialect) => fitOf(own, dialect, names));
  return fits.reduce((best, fit) => {
    const more = fit.ours.size - best.ours.size;
    const isNamed = fit.dialect.origin === origin && best.dialect.origin !== origin;
    return more > 0 || (more === 0 && isNamed) ? fit : best;
  });
}

/** Names that are on one side only; where another network has fewer of them, the file is of that. */
export const leftOver = ({ missing, unused }: Fit): number => missing.length + unused.length;

function fitOf(own: readonly OwnTensor[], dialect: Dialect, names: readonly string[]): Fit {
  const theirs = own.map((tensor) => dialect.nameOf(tensor));
  const present = new Set(names);
  const prefix = commonPrefix(theirs, present);
  const ours = new Map<string, string>();
  own.forEach(({ name }, i) => {
    if (present.has(prefix + theirs[i])) ours.set(prefix + theirs[i], name);
  });
  const found = new Set(ours.values());
  const zeros = absentBiases(own, found);
  return {
    dialect,
    prefix,
    own,
    ours,
    zeros,
    missing: own
      .map(({ name }) => name)
      .filter((name) => !found.has(name) && !zeros.includes(name)),
    unused: names.filter((name) => !ours.has(name) && !BATCHES.test(name) && !isOfTraining(name)),
  };
}

/** The biases of convolutions, if all convolutions of the network were found and none of their biases. */
function absentBiases(own: readonly OwnTensor[], found: ReadonlySet<string>): string[] {
  const weights = own.filter(({ part, shape }) => part === 'weight' && shape.length === 4);
  const layers = new Set(weights.map(({ layer }) => layer));
  const biases = own.filter(({ part, layer }) => part === 'bias' && layers.has(layer));
  const areAbsent =
    weights.every(({ name }) => found.has(name)) && biases.every(({ name }) => !found.has(name));
  return areAbsent ? biases.map(({ name }) => name) : [];
}

/** What to put before names to find them in a file; '' if they are there as they are, or not at all. */
function commonPrefix(wanted: readonly string[], present: ReadonlySet<string>): string {
  if (wanted.length === 0 || wanted.some((name) => present.has(name))) return '';
  const [first] = wanted;
  for (const name of present) {
    const prefix = name.slice(0, -first.length);
    if (name === `${prefix}${first}` && prefix.endsWith('.')) return prefix;
  }
  return '';
}
