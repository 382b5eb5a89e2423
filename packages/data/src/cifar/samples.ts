import { ValueError } from '@firelight/tensor';
import { checkIndex } from '../core/check.ts';
import type { Dataset, Sample } from '../core/dataset.ts';
import type { Recipe } from '../core/recipe.ts';
import { CIFAR_IMAGE_BYTES, CIFAR_SIDE } from './constants.ts';
import { CifarRecords, type RecordTable } from './records.ts';

/** Which records count, and by which of their labels. */
interface SampleOptions {
  readonly title: string;
  readonly limit: number | undefined;
  readonly labels: 'fine' | 'coarse';
}

/** Records of one or several files, one after the other, as samples `[32, 32, 3]` of bytes. */
export class CifarSamples implements Dataset {
  readonly length: number;
  readonly #files: readonly CifarRecords[];
  readonly #options: SampleOptions;

  /** @throws ValueError if `limit` is more than there are */
  constructor(tables: readonly RecordTable[], options: SampleOptions) {
    const files = tables.map((table) => new CifarRecords(table));
    const count = files.reduce((sum, file) => sum + file.count, 0);
    const { title, limit } = options;
    if (limit !== undefined && limit > count) {
      throw new ValueError(`${title}: limit is ${limit}, but there are only ${count} images`);
    }
    this.length = limit ?? count;
    this.#files = files;
    this.#options = options;
  }

  get(index: number): Sample {
    const { title, labels } = this.#options;
    checkIndex(title, index, this.length);
    let record = index;
    let file = 0;
    while (record >= this.#files[file].count) record -= this.#files[file++].count;
    const records = this.#files[file];
    const image = {
      data: interleave(records.image(record)),
      height: CIFAR_SIDE,
      width: CIFAR_SIDE,
      channels: 3,
      layout: 'HWC',
    } as const;
    const numbers = labels === 'coarse' ? records.coarseLabels : records.labels;
    return { image, label: (numbers ?? records.labels)[record] };
  }

  recipe(): Recipe {
    return { name: 'CifarSamples', args: [this.#files.map(({ table }) => table), this.#options] };
  }
}

/** Three planes to three bytes a pixel, the form in which transforms start. */
function interleave(planes: Uint8Array): Uint8Array {
  const plane = CIFAR_SIDE * CIFAR_SIDE;
  const pixels = new Uint8Array(CIFAR_IMAGE_BYTES);
  for (let i = 0, at = 0; i < plane; i++, at += 3) {
    pixels[at] = planes[i];
    pixels[at + 1] = planes[i + plane];
    pixels[at + 2] = planes[i + 2 * plane];
  }
  return pixels;
}
