import type { Module } from '../../module/module.ts';
import type { Dialect } from './dialect.ts';
import { dialectsOf } from './dialects.ts';
import type { FileNames } from './file-names.ts';
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
  /** How many weights of the file the network does not have. */
  readonly unused: number;
}

/**
 * The dialect that fits best: with the most names that both sides have. Of those that fit equally well,
 * the one of `origin` is taken, or else the likeliest.
 */
export function bestFit({ own, dialects }: NamedNetwork, names: FileNames, origin?: string): Fit {
  const fits = dialects.map((dialect) => fitOf(own, dialect, names));
  return fits.reduce((best, fit) => {
    const more = fit.ours.size - best.ours.size;
    const isNamed = fit.dialect.origin === origin && best.dialect.origin !== origin;
    return more > 0 || (more === 0 && isNamed) ? fit : best;
  });
}

/** Names that are on one side only; where another network has fewer of them, the file is of that. */
export const leftOver = ({ missing, unused }: Fit): number => missing.length + unused;

function fitOf(own: readonly OwnTensor[], dialect: Dialect, names: FileNames): Fit {
  const theirs = own.map((tensor) => dialect.nameOf(tensor, own));
  const prefix = names.prefixOf(theirs);
  const ours = new Map<string, string>();
  own.forEach(({ name }, i) => {
    if (names.has(prefix + theirs[i])) ours.set(prefix + theirs[i], name);
  });
  const found = new Set(ours.values());
  const zeros = new Set(absentBiases(own, found));
  const used = [...ours.keys()].filter((name) => names.weights.has(name));
  return {
    dialect,
    prefix,
    own,
    ours,
    zeros: [...zeros],
    missing: own.map(({ name }) => name).filter((name) => !found.has(name) && !zeros.has(name)),
    unused: names.weights.size - used.length,
  };
}

/** The biases of convolutions, if all that the network has was found but them. */
function absentBiases(own: readonly OwnTensor[], found: ReadonlySet<string>): string[] {
  const weights = own.filter(({ part, shape }) => part === 'weight' && shape.length === 4);
  const layers = new Set(weights.map(({ layer }) => layer));
  const isBias = ({ part, layer }: OwnTensor): boolean => part === 'bias' && layers.has(layer);
  const areAbsent = own.every((tensor) => isBias(tensor) !== found.has(tensor.name));
  return areAbsent ? own.filter(isBias).map(({ name }) => name) : [];
}
