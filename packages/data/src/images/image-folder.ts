import { ValueError } from '@firelight/tensor';
import type { Dataset, Sample } from '../dataset.ts';
import { DataError } from '../errors.ts';
import type { Recipe } from '../recipe.ts';
import { readImage } from './decode.ts';

/** One picture and the number of its class. */
interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

const PICTURE = /\.(png|jpe?g)$/i;

/**
 * Pictures in folders named after their classes, `path/class/…/name.png` or `.jpg`, as samples
 * `[H, W, 3]` of bytes, read and decoded when asked for. Classes are numbered in the order of their
 * names, and files are ordered by their paths within the class. Make batches with `batches`, on
 * worker threads if decoding is slow.
 *
 * @see torchvision, `datasets.ImageFolder`; MindSpore, `ImageFolderDataset`
 */
export class ImageFolder implements Dataset {
  readonly classNames: readonly string[];
  readonly #files: readonly LabelledFile[];

  /** Of files that are known already; `open` looks for them. */
  constructor(classNames: readonly string[], files: readonly LabelledFile[]) {
    this.classNames = classNames;
    this.#files = files;
  }

  /**
   * Lists the pictures of a folder. Other files and names with a dot in front are left out.
   *
   * @throws DataError if the folder cannot be read, has no folders, or a class has no picture
   */
  static async open(path: string): Promise<ImageFolder> {
    const { readdir } = await import('node:fs/promises');
    const { join } = await import('node:path');
    const list = async (folder: string) => {
      try {
        return await readdir(folder, { withFileTypes: true, recursive: folder !== path });
      } catch (error) {
        const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        const reason = isMissing ? 'no such folder' : (error as Error).message;
        throw new DataError(`ImageFolder: ${folder}: ${reason}`, { cause: error });
      }
    };
    const classNames = (await list(path))
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => name)
      .sort();
    if (classNames.length === 0) {
      throw new DataError(
        `ImageFolder: ${path} has no folders; it needs one for each class, with .png or .jpg files`,
      );
    }
    const files: LabelledFile[] = [];
    for (const [label, name] of classNames.entries()) {
      const folder = join(path, name);
      const paths = (await list(folder))
        .filter((entry) => entry.isFile() && PICTURE.test(entry.name) && entry.name[0] !== '.')
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
      if (paths.length === 0) {
        throw new DataError(
          `ImageFolder: the class folder ${folder} has no .png or .jpg file; put some there or remove it`,
        );
      }
      for (const file of paths) files.push({ path: file, label });
    }
    return new ImageFolder(classNames, files);
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
    return { image: await readImage(path), label };
  }

  /** The path of the file. */
  describe(index: number): string {
    return this.#at(index).path;
  }

  #at(index: number): LabelledFile {
    const file = this.#files[index];
    if (file === undefined) {
      throw new ValueError(
        `ImageFolder: no image ${index}, there are ${this.length}, counted from 0`,
      );
    }
    return file;
  }

  recipe(): Recipe {
    return { name: 'ImageFolder', args: [this.classNames, this.#files] };
  }
}
