import type { StateDict } from '../../module/module.ts';
import type { Fit } from './fit.ts';
import type { Origin } from './origin.ts';

/** Classes of ImageNet, by which published weights are known. */
const IMAGENET_CLASSES = 1000;

/** What the dialect of a file implies; preprocessing only for as many classes as ImageNet has. */
export function originOf(tensors: StateDict, { dialect, own, ours }: Fit): Origin {
  const head = own.filter(({ part, isNorm }) => part === 'weight' && !isNorm).at(-1)?.name;
  const [found] = [...ours].find(([, name]) => name === head) ?? [];
  const isOfImageNet = found !== undefined && tensors[found].shape[0] === IMAGENET_CLASSES;
  const { origin, options = {}, preprocessing = null, differences = [] } = dialect;
  return {
    name: origin,
    options,
    preprocessing: isOfImageNet ? preprocessing : null,
    differences,
  };
}
