import { sameShape } from '@firelight/tensor/extend';
import type { FileContent } from '../../checkpoint/snapshot.ts';
import type { Module, StateDict } from '../../module/module.ts';
import { FileNames } from './file-names.ts';
import { bestFit, type Fit, leftOver } from './fit.ts';
import { KNOWN_NETWORKS, type KnownNetwork } from './known-networks.ts';
import type { Origin } from './origin.ts';
import { originOf } from './origin-of.ts';

/** A network of this library that weights are of. */
export interface IdentifiedNetwork {
  /** How it is created: `SqueezeNet({ version: '1.1' })`. */
  readonly label: string;
  readonly origin: Origin;
  /**
   * The network for these weights, with the options that their origin implies and with their numbers of
   * classes and of channels; `options` come on top.
   */
  readonly create: (options?: Readonly<Record<string, unknown>>) => Module;
}

/** Tensors as a file has them, and what it tells of their origin. */
export type NamedContent = Pick<FileContent, 'tensors' | 'origin' | 'isForeign'>;

/** Whose names a file has, as far as it tells itself. */
export function originHint({ isForeign, origin }: NamedContent): string | undefined {
  return isForeign === false ? 'firelight' : origin;
}

/** A network of this library with the fit of its names. */
interface Candidate {
  readonly network: KnownNetwork;
  readonly fit: Fit;
}

/** The network whose names are nearest to those of a file, which must have half of them; else null. */
export function nearestNetwork(tensors: StateDict, origin?: string): Candidate | null {
  const names = new FileNames(Object.keys(tensors));
  const candidates = KNOWN_NETWORKS.map((network) => ({
    network,
    fit: bestFit(network.named(), names, origin),
  })).filter(({ fit }) => 2 * fit.ours.size >= fit.own.length);
  const least = candidates.reduce((min, { fit }) => Math.min(min, leftOver(fit)), Infinity);
  const nearest = candidates.filter(({ fit }) => leftOver(fit) === least);
  return nearest.find((candidate) => isToldBy(tensors, candidate)) ?? nearest[0] ?? null;
}

/** Whether the tensor has its shape that tells a network from others with the same names. */
function isToldBy(tensors: StateDict, { network: { telling }, fit }: Candidate): boolean {
  if (telling === undefined) return true;
  const [name, shape] = telling;
  const found = tensorOf(tensors, fit, name);
  return found !== undefined && sameShape(found.shape, shape);
}

function tensorOf(tensors: StateDict, { ours }: Fit, wanted: string) {
  for (const [name, own] of ours) if (own === wanted) return tensors[name];
  return undefined;
}

/**
 * The network of this library that weights are of, by their names alone; null if none has all of their
 * names, and no others.
 */
export function identifyNetwork(content: NamedContent): IdentifiedNetwork | null {
  const { tensors } = content;
  const nearest = nearestNetwork(tensors, originHint(content));
  if (nearest === null || leftOver(nearest.fit) > 0) return null;
  const { network, fit } = nearest;
  const { own } = fit;
  const weights = own.filter(({ name }) => name.endsWith('.weight')).map(({ name }) => name);
  const numClasses = tensorOf(tensors, fit, weights[weights.length - 1])?.shape[0];
  const inChannels = tensorOf(tensors, fit, weights[0])?.shape[1];
  const found = originOf(tensors, fit);
  return {
    label: network.label,
    origin: found,
    create: (options) =>
      network.create({
        ...(numClasses === undefined ? {} : { numClasses }),
        ...(inChannels === undefined ? {} : { inChannels }),
        ...found.options,
        ...options,
      }),
  };
}
