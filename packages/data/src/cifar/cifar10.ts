import { expectThat } from '@firelight/tensor/extend';
import { expectBytes, expectOptions } from '../core/check.ts';
import { CIFAR10_FORMS } from './archives.ts';
import { CifarBatches, type CifarOptions } from './cifar-batches.ts';
import { CIFAR10_MEAN, CIFAR10_STD } from './constants.ts';
import { parseCifar10 } from './python-batch.ts';

/** How `Cifar10` reads and batches. */
export type Cifar10Options = CifarOptions;

/**
 * CIFAR-10 as batches: `image` `[N, 3, 32, 32]` float32 (other sides after a `Resize`), `label`
 * `[N]` int32. The files may be of the binary or of the python archive.
 *
 * Each image starts as `[32, 32, 3]` bytes. The default transform is `Rescale(1 / 255, 0)`,
 * `Normalize` with `CIFAR10_MEAN` and `CIFAR10_STD`, `HWC2CHW`; one that is given replaces it.
 * `shuffle` is on unless the split is `'test'`.
 *
 * Unlike mindvision's, batches keep the remainder (`dropRemainder: false`), so that a test accuracy
 * counts all 10000 images and not 9984, and the test split keeps its order.
 *
 * Nothing is read before `load()` or the first iteration.
 */
export class Cifar10 extends CifarBatches {
  /** @throws ValueError if an option is out of its range or not exactly one source is given */
  constructor(options: Cifar10Options) {
    super(options, {
      forms: CIFAR10_FORMS,
      labels: 'fine',
      mean: CIFAR10_MEAN,
      std: CIFAR10_STD,
    });
  }

  /**
   * A data set of files that are in memory, in a browser for instance.
   *
   * @throws DataError if a file is neither CIFAR-10 binary nor a python batch
   * @throws ValueError if `files` are no bytes or an option is out of its range
   */
  static fromBytes(
    files: Uint8Array | ArrayBuffer | readonly (Uint8Array | ArrayBuffer)[],
    options: Omit<Cifar10Options, 'path' | 'records' | 'download'> = {},
  ): Cifar10 {
    const list = files instanceof Uint8Array || files instanceof ArrayBuffer ? [files] : files;
    expectThat(Array.isArray(list), 'Cifar10.fromBytes', 'files', 'bytes or a list of them', files);
    const records = list.map((file, number) =>
      parseCifar10(expectBytes(`Cifar10.fromBytes: file ${number}`, file), {
        source: `CIFAR-10 file ${number}`,
      }),
    );
    return new Cifar10({ ...expectOptions('Cifar10.fromBytes', options), records });
  }
}
