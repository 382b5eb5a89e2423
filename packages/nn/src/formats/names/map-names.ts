import { type Tensor, zeros } from '@firelight/tensor';
import { quote, quoteSome } from '@firelight/tensor/extend';
import { CheckpointError } from '../../core/errors.ts';
import type { Module, StateDict } from '../../module/module.ts';
import { keptFor } from '../training-names.ts';
import { dialectsOf } from './dialects.ts';
import { FileNames } from './file-names.ts';
import { bestFit, type Fit, leftOver, namedNetwork } from './fit.ts';
import { nearestNetwork } from './identify.ts';
import type { Origin, OriginName } from './origin.ts';
import { originOf } from './origin-of.ts';
import { ownTensors } from './own-tensors.ts';

/** The tensors of a file under the names of a network, and what is left over on either side. */
export interface MappedNames {
  /** For `loadStateDict`, under our names; a tensor is decoded when it is asked for. */
  readonly state: StateDict;
  /** What an optimizer kept, under our names, as `moments.features.0.weight`. */
  readonly optimizer: StateDict;
  readonly origin: Origin;
  /** Names of the network that the file does not have. */
  readonly missing: readonly string[];
  /** Names of the file that the network does not have. */
  readonly unused: readonly string[];
  /** What was done besides, a sentence each. */
  readonly notes: readonly string[];
}

/** How names are mapped. */
export interface MapOptions {
  /** Whose names they are, where that is known; decides between names that fit equally well. */
  readonly origin?: string | undefined;
  /** What an optimizer kept, under the names of the file, if that is not among the tensors. */
  readonly optimizer?: StateDict | undefined;
  /** What errors call the file. */
  readonly file?: string;
}

/**
 * Finds the tensors of a network among those of another program, whose names for its layers are known
 * here: torchvision, timm, MindSpore with its tutorials and model zoos, Caffe, MXNet, as far as they have
 * the network. Whose names they are is told by how well they fit; shapes are not looked at.
 *
 * A convolution that has a bias here, and none there, gets zeros, if that is so for all of them.
 *
 * @throws CheckpointError if the names are those of another network, or of none; it says which is nearest
 */
export function mapNames(
  network: Module,
  tensors: StateDict,
  { origin, optimizer: kept = {}, file = 'mapNames' }: MapOptions = {},
): MappedNames {
  const names = new FileNames(Object.keys(tensors));
  const fit = bestFit(namedNetwork(network), names, origin);
  const unused = [...names.weights].filter((name) => !fit.ours.has(name));
  if (leftOver(fit) > 0) expectNearest(network, tensors, { fit, unused, file });
  const state: Record<string, () => Tensor> = {};
  const optimizer: Record<string, () => Tensor> = {};
  for (const [name, own] of fit.ours) state[own] = () => tensors[name];
  for (const from of [tensors, kept]) {
    for (const name of Object.keys(from)) {
      const { kind, parameter } = keptFor(name) ?? {};
      const own = parameter === undefined ? undefined : fit.ours.get(parameter);
      if (own !== undefined) optimizer[`${kind}.${own}`] = () => from[name];
    }
  }
  const kinds = new Set(Object.keys(optimizer).map((name) => keptFor(name)?.kind));
  const absent = new Set(fit.zeros);
  for (const { name, shape, dtype } of fit.own) {
    if (!absent.has(name)) continue;
    const none = () => zeros(shape, { dtype });
    state[name] = none;
    for (const kind of kinds) optimizer[`${kind}.${name}`] = none;
  }
  return {
    state: byGetters(state),
    optimizer: byGetters(optimizer),
    origin: originOf(tensors, fit),
    missing: fit.missing,
    unused,
    notes: notesOf(fit),
  };
}

/** Tensors that are made when they are asked for. */
function byGetters(getters: Readonly<Record<string, () => Tensor>>): StateDict {
  const entries = Object.entries(getters).map(([name, get]) => [name, { enumerable: true, get }]);
  return Object.create(null, Object.fromEntries(entries));
}

/** How a file fits, and what errors tell of it. */
interface Misfit {
  readonly fit: Fit;
  readonly unused: readonly string[];
  readonly file: string;
}

/** @throws CheckpointError if another network of ours is nearer to the names, or if none of them fits */
function expectNearest(network: Module, tensors: StateDict, misfit: Misfit): void {
  const { fit, file } = misfit;
  const nearest = nearestNetwork(tensors, fit.dialect.origin);
  const name = network.constructor.name;
  if (nearest !== null && leftOver(nearest.fit) < leftOver(fit)) {
    throw new CheckpointError(
      `${file}: these are the names of ${nearest.network.label}${owner(nearest.fit)}, not of this ${name} ` +
        `(${describe(misfit)}); create that network, or take weights of this one`,
    );
  }
  if (fit.ours.size > 0) return;
  throw new CheckpointError(
    `${file}: has no tensor of this ${name} under any name that is known for it (it has ` +
      `${quoteSome(Object.keys(tensors))}; the network ${quoteSome(fit.missing)}); is it of another network?`,
  );
}

const owner = ({ dialect: { origin } }: Fit): string =>
  origin === 'firelight' ? '' : ` as ${origin} has them`;

function describe({ fit: { missing, own }, unused }: Misfit): string {
  const lacking = `${missing.length} of its ${own.length} tensors are missing`;
  if (unused.length === 0) return lacking;
  return `${lacking}, and ${unused.length} of the file are no tensors of it, such as ${quote(unused[0])}`;
}

function notesOf({ prefix, zeros: absent, dialect }: Fit): string[] {
  return [
    ...(prefix === '' ? [] : [`names begin with ${quote(prefix)}, taken off`]),
    ...(absent.length === 0
      ? []
      : [`convolutions there have no bias, so ${quoteSome(absent)} became zeros`]),
    ...(dialect.differences ?? []).map((what) => `${dialect.origin}: ${what}`),
  ];
}

/**
 * The tensors of a network under the names of another program, as `saveCheckpoint` takes them; they share
 * memory with the network.
 *
 * @throws CheckpointError if the program has no names for this network
 */
export function exportNames(network: Module, origin: OriginName): StateDict {
  const dialect = dialectsOf(network).find((each) => each.origin === origin);
  if (dialect === undefined) {
    const known = [...new Set(dialectsOf(network).map((each) => each.origin))];
    throw new CheckpointError(
      `exportNames: ${quote(origin)} has no names for ${network.constructor.name} that are known here; ` +
        `known are those of ${known.join(', ')}`,
    );
  }
  const state = network.stateDict();
  const all = ownTensors(network);
  return Object.fromEntries(all.map((own) => [dialect.nameOf(own, all), state[own.name]]));
}
