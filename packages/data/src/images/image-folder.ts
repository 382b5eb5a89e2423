import { expectThat, printablePath } from '@firelight/tensor/extend';
import { checkIndex, expectOptions, expectText } from '../core/check.ts';
import type { Dataset, Sample } from '../core/dataset.ts';
import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import type { Recipe } from '../core/recipe.ts';
import { readImage } from './decode.ts';
import { FolderReader } from './folder-reader.ts';
import { checkMaxBytes, DEFAULT_MAX_BYTES, type DecodeOptions } from './limit.ts';

/** One picture and the number of its class. */
interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

/**
 * Pictures in folders named after their classes, `path/class/…/name.png` or `.jpg`, as samples
 * `[H, W, 3]` of bytes, read and decoded when asked for. Classes are numbered in the order of their
 * names; in a class, files are ordered by the paths of their folders and then by name, all by code
 * points as in torchvision. Make batches with `batches`, on worker threads if decoding is slow.
 *
 * @see torchvision, `datasets.ImageFolder`; MindSpore, `ImageFolderDataset`
 */
export class ImageFolder implements Dataset {
  readonly classNames: readonly string[];
  readonly #files: readonly LabelledFile[];
  readonly #maxBytes: number;

  /**
   * Of files that are known already; `open` looks for them.
   *
   * @throws ValueError if an argument is of the wrong type, or `maxBytes` no number above 0
   */
  constructor(
    classNames: readonly string[],
    files: readonly LabelledFile[],
    options: DecodeOptions = {},
  ) {
    const { maxBytes = DEFAULT_MAX_BYTES } = expectOptions('ImageFolder', options);
    expectThat(Array.isArray(classNames), 'ImageFolder', 'classNames', 'a list', classNames);
    const isFile = (file: LabelledFile): boolean =>
      typeof file?.path === 'string' && Number.isInteger(file.label);
    const isRight = Array.isArray(files) && files.every(isFile);
    expectThat(isRight, 'ImageFolder', 'files', 'a list of { path, label }', files);
    checkMaxBytes('ImageFolder', maxBytes);
    this.classNames = classNames;
    this.#files = files;
    this.#maxBytes = maxBytes;
  }

  /**
   * Lists the pictures of a folder. Symbolic links to classes, folders and pictures are followed,
   * but for links to a folder that they lie in. Files that are no pictures and names with a dot in
   * front are left out.
   *
   * @throws DataError if a folder cannot be read, there is no class, a class has no picture or one of
   *   a format that is not read, or a link leads nowhere
   * @throws ValueError if `path` is no text or `maxBytes` no number above 0
   */
  static async open(path: string, options: DecodeOptions = {}): Promise<ImageFolder> {
    expectText('ImageFolder: path', path);
    const { maxBytes = DEFAULT_MAX_BYTES } = expectOptions('ImageFolder', options);
    checkMaxBytes('ImageFolder', maxBytes);
    const { basename } = nodeModule('node:path');
    const reader = new FolderReader();
    const { folders, problems } = await reader.read(await reader.open(path));
    if (problems.length > 0) throw new DataError(`ImageFolder: ${problems[0]}`);
    if (folders.length === 0) {
      throw new DataError(
        `ImageFolder: ${printablePath(path)} has no folders; it needs one for each class, with .png or .jpg files`,
      );
    }
    const files: LabelledFile[] = [];
    for (const [label, folder] of folders.entries()) {
      const { paths, problems } = await reader.findPictures(folder);
      if (paths.length === 0) {
        const [reason] = problems;
        throw new DataError(
          `ImageFolder: the class folder ${printablePath(folder.path)} has no .png or .jpg file` +
            `${reason === undefined ? '; put some there or remove it' : `: ${reason}`}`,
        );
      }
      if (problems.length > 0) throw new DataError(`ImageFolder: ${problems[0]}`);
      for (const path of paths) files.push({ path, label });
    }
    const classNames = folders.map((folder) => basename(folder.path));
    return new ImageFolder(classNames, files, options);
  }

  get length(): number {
    return this.#files.length;
  }

  /**
   * @throws ValueError if there is no such sample; the promise is rejected with a DataError if its
   *   file cannot be read or decoded
   */
  async get(index: number): Promise<Sample> {
    const { path, label } = this.#at(index);
    return { image: await readImage(path, { maxBytes: this.#maxBytes }), label };
  }

  /** The path of the file. */
  describe(index: number): string {
    return this.#at(index).path;
  }

  #at(index: number): LabelledFile {
    checkIndex('ImageFolder', index, this.length);
    return this.#files[index];
  }

  recipe(): Recipe {
    const options: DecodeOptions = { maxBytes: this.#maxBytes };
    return { name: 'ImageFolder', args: [this.classNames, this.#files, options] };
  }
}
