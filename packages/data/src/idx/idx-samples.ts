import { ValueError } from '@firelight/tensor';
import { checkIndex } from '../core/check.ts';
import type { Dataset, Sample } from '../core/dataset.ts';
import { DataError } from '../core/errors.ts';
import type { Recipe } from '../core/recipe.ts';
import { type IdxArray, parseIdx } from './idx.ts';

/** The pictures and labels of one split, as two IDX files. */
interface IdxPair {
  readonly images: IdxArray;
  readonly labels: IdxArray;
}

interface SampleOptions {
  /** Name of the data set in messages. */
  readonly title: string;
  readonly classes: number;
  readonly limit: number | undefined;
}

/** Grey pictures of IDX files as samples `[H, W, 1]` of bytes. */
export class IdxSamples implements Dataset {
  readonly length: number;
  readonly #pairs: readonly IdxPair[];
  readonly #options: SampleOptions;

  /**
   * @throws DataError if pictures and labels do not belong together
   * @throws ValueError if `limit` is more than there are
   */
  constructor(pairs: readonly IdxPair[], options: SampleOptions) {
    const { title, limit } = options;
    for (const pair of pairs) checkPair(pair, options);
    const count = pairs.reduce((sum, { labels }) => sum + labels.data.length, 0);
    if (limit !== undefined && limit > count) {
      throw new ValueError(`${title}: limit is ${limit}, but there are only ${count} images`);
    }
    this.length = limit ?? count;
    this.#pairs = pairs;
    this.#options = options;
  }

  /**
   * The samples of files that lie in pairs: pictures, labels, pictures, labels.
   *
   * @throws DataError if a file is damaged, or pictures and labels do not belong together
   */
  static fromFiles(
    files: readonly { readonly bytes: Uint8Array; readonly source: string }[],
    options: SampleOptions,
  ): IdxSamples {
    if (files.length % 2 !== 0) {
      throw new DataError(
        `${options.title}: ${files[0].source} is one file, but pictures and labels come in two; ` +
          'pass their folder',
      );
    }
    const arrays = files.map(({ bytes, source }) => parseIdx(bytes, { source }));
    const pairs = Array.from({ length: arrays.length / 2 }, (_, i) => ({
      images: arrays[2 * i],
      labels: arrays[2 * i + 1],
    }));
    return new IdxSamples(pairs, options);
  }

  get(index: number): Sample {
    const { title } = this.#options;
    checkIndex(title, index, this.length);
    let within = index;
    let file = 0;
    while (within >= this.#pairs[file].labels.data.length) {
      within -= this.#pairs[file++].labels.data.length;
    }
    const { images, labels } = this.#pairs[file];
    const [, height, width] = images.shape;
    const data = images.data.slice(within * height * width, (within + 1) * height * width);
    const image = { data, height, width, channels: 1, layout: 'HWC' } as const;
    return { image, label: labels.data[within] };
  }

  recipe(): Recipe {
    return { name: 'IdxSamples', args: [this.#pairs, this.#options] };
  }
}

function checkPair({ images, labels }: IdxPair, { title, classes }: SampleOptions): void {
  const shapes = `images [${images.shape.join(', ')}] and labels [${labels.shape.join(', ')}]`;
  const [count, height, width] = images.shape;
  if (images.shape.length !== 3 || height < 1 || width < 1) {
    throw new DataError(`${title}: the images must be [N, H, W], got ${shapes}; fetch them again`);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new DataError(
      `${title}: there must be a label for each image, got ${shapes}; take both files of one split`,
    );
  }
  const wrong = labels.data.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new DataError(
      `${title}: label ${wrong} is ${labels.data[wrong]}, expected 0 to ${classes - 1}; ` +
        'fetch the labels again',
    );
  }
}
