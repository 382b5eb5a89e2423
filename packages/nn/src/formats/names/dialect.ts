import type { Module } from '../../module/module.ts';
import type { Origin, OriginName, Preprocessing } from './origin.ts';
import type { OwnTensor } from './own-tensors.ts';

/** What one program calls the tensors of one network. */
export interface Dialect {
  readonly origin: OriginName;
  /** Its name of a tensor of ours. */
  readonly nameOf: (own: OwnTensor) => string;
  /** Whether it has names for a network of the class; for all of them by default. */
  readonly isFor?: (network: Module) => boolean;
  readonly options?: Origin['options'];
  readonly preprocessing?: Preprocessing;
  readonly differences?: Origin['differences'];
}

/** Our name with everything replaced that a pattern finds, one pattern after the other. */
type Rules = readonly (readonly [pattern: RegExp, replacement: string])[];

const replaced = (name: string, rules: Rules): string =>
  rules.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), name);

/** PyTorch's parts of layers are ours. */
export const asInPyTorch =
  (...rules: Rules) =>
  ({ name }: OwnTensor): string =>
    replaced(name, rules);

/** What MindSpore calls the parts of layers that normalize; those of others are ours. */
const NORM_PARTS: ReadonlyMap<string, string> = new Map([
  ['weight', 'gamma'],
  ['bias', 'beta'],
  ['running_mean', 'moving_mean'],
  ['running_var', 'moving_variance'],
]);

const partInMindSpore = ({ part, isNorm }: OwnTensor): string =>
  isNorm ? (NORM_PARTS.get(part) ?? part) : part;

/** The rules take names that end in MindSpore's parts. */
export const asInMindSpore =
  (...rules: Rules) =>
  (own: OwnTensor): string => {
    const part = partInMindSpore(own);
    return replaced(own.layer === '' ? part : `${own.layer}.${part}`, rules);
  };

/** Of SqueezeNet, by the numbers that the paper gives to layers: `conv1`, `fire2` and `squeeze`, `conv10`. */
export const byFireNumber =
  (fire: (number: number, layer: string) => string) =>
  ({ layer, part, block }: OwnTensor): string => {
    const [first, , inside] = layer.split('.');
    if (first === 'final_conv') return `conv10.${part}`;
    return inside === undefined ? `conv1.${part}` : `${fire(block + 1, inside)}.${part}`;
  };

/** By the place among the convolutions, from 0, with lines below in place of dots. */
export const byPlace =
  (prefix: string) =>
  ({ part, place }: OwnTensor): string =>
    `${prefix}${place}_${part}`;
