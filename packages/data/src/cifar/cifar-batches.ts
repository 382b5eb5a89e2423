import { ValueError } from '@firelight/tensor';
import { expectThat } from '@firelight/tensor/extend';
import type { Forms } from '../archive/archive.ts';
import { expectOptions } from '../core/check.ts';
import type { Sample } from '../core/dataset.ts';
import { PublishedDataset, type PublishedOptions } from '../published/published-dataset.ts';
import { Compose } from '../transforms/compose.ts';
import { HWC2CHW } from '../transforms/hwc-to-chw.ts';
import { Normalize } from '../transforms/normalize.ts';
import { Rescale } from '../transforms/rescale.ts';
import type { CifarArchive } from './archives.ts';
import type { CifarSplit } from './constants.ts';
import { type DownloadOptions, downloadCifar } from './download.ts';
import { CifarRecords } from './records.ts';
import { CifarSamples } from './samples.ts';

/** How a CIFAR data set is read and batched; one of `path` and `records` is needed. */
export interface CifarOptions extends PublishedOptions<CifarSplit, DownloadOptions> {
  /** Records that are in memory already, in a browser for instance. */
  readonly records?: readonly CifarRecords[];
}

/** What tells the data sets of the CIFAR family from each other. */
export interface CifarKind {
  readonly forms: Forms<CifarArchive>;
  readonly labels: 'fine' | 'coarse';
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What `Cifar10` and `Cifar100` have in common: records of 32×32 pixels, in files or in memory. */
export abstract class CifarBatches extends PublishedDataset<
  CifarSplit,
  CifarArchive,
  DownloadOptions
> {
  constructor(options: CifarOptions, { forms, labels, mean, std }: CifarKind) {
    const { name } = new.target;
    const { path, records, limit } = expectOptions(name, options);
    if ((path === undefined) === (records === undefined)) {
      throw new ValueError(`${name}: give path (a folder or a file) or records, one and not both`);
    }
    if (records !== undefined) {
      const isRight =
        Array.isArray(records) && records.every((file) => file instanceof CifarRecords);
      expectThat(isRight, name, 'records', 'a list of CifarRecords', records);
    }
    const samplesOf = (files: readonly CifarRecords[], limit: number | undefined): CifarSamples =>
      new CifarSamples(
        files.map(({ table }) => table),
        { title: forms[0].title, limit, labels },
      );
    super(
      options,
      {
        forms,
        transform: () =>
          new Compose([new Rescale(1 / 255, 0), new Normalize({ mean, std }), new HWC2CHW()]),
        samples: (files, limit) =>
          samplesOf(
            files.map(({ archive, bytes, source }) => archive.parse(bytes, { source })),
            limit,
          ),
        download: (path, options) => downloadCifar(path, forms, options),
      },
      records === undefined ? undefined : samplesOf(records, limit),
    );
  }

  /** Image `index` as `[32, 32, 3]` bytes, untransformed, and its label. */
  override get(index: number): Sample {
    return super.get(index) as Sample; // Records are in memory.
  }
}
