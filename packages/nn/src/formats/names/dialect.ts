import type { Module } from '../../module/module.ts';
import type { Origin, OriginName, Preprocessing } from './origin.ts';
import type { OwnTensor } from './own-tensors.ts';

/** What one program calls the tensors of one network. */
export interface Dialect {
  readonly origin: OriginName;
  /** Its name of a tensor of ours, one of all that the network has. */
  readonly nameOf: (own: OwnTensor, all: readonly OwnTensor[]) => string;
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

/** Of VGG without norms: `conv1_1`, by the stages between pools, and `fc6` to `fc8`. */
export const byVggStage = (own: OwnTensor, all: readonly OwnTensor[]): string => {
  if (!own.layer.startsWith('features.')) {
    const linear = all.filter(
      ({ layer, part }) => layer.startsWith('classifier.') && part === own.part,
    );
    return `fc${6 + linear.indexOf(own)}.${own.part}`;
  }
  const stage = stageOf(own);
  const ofStage = all.filter((each) => each.part === own.part && stageOf(each) === stage);
  return `conv${stage}_${1 + ofStage.indexOf(own)}.${own.part}`;
};

/** A layer before each convolution is its ReLU, and one before each stage but the first is a pool. */
function stageOf({ layer, place }: OwnTensor): number {
  const [first, number] = layer.split('.');
  return first === 'features' ? 1 + Number(number) - 2 * place : 0;
}
