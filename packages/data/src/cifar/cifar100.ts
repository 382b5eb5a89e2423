import { expectThat } from '@firelight/tensor/extend';
import { expectOptions } from '../core/check.ts';
import { CifarBatches, type CifarOptions } from './cifar-batches.ts';
import { CIFAR100_BINARY } from './cifar100-archive.ts';
import { CIFAR100_MEAN, CIFAR100_STD } from './constants.ts';

/** How `Cifar100` reads and batches. */
export interface Cifar100Options extends CifarOptions {
  /** Which labels: the 100 classes (`'fine'`, the default) or their 20 superclasses. */
  readonly labels?: 'fine' | 'coarse';
}

/**
 * CIFAR-100, binary version, as batches: all is as with `Cifar10`, but there are 100 classes
 * (`CIFAR100_CLASSES`) in 20 superclasses (`CIFAR100_COARSE_CLASSES`), and the default `Normalize`
 * has `CIFAR100_MEAN` and `CIFAR100_STD`.
 */
export class Cifar100 extends CifarBatches {
  /** @throws ValueError if an option is out of its range or not exactly one source is given */
  constructor(options: Cifar100Options) {
    const { labels = 'fine', ...others } = expectOptions('Cifar100', options);
    const isKnown = labels === 'fine' || labels === 'coarse';
    expectThat(isKnown, 'Cifar100', 'labels', "'fine' or 'coarse'", labels);
    super(others, {
      forms: [CIFAR100_BINARY],
      labels,
      mean: CIFAR100_MEAN,
      std: CIFAR100_STD,
    });
  }
}
