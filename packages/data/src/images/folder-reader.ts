import type { Dirent } from 'node:fs';
import { printablePath, systemReason } from '@firelight/tensor/extend';
import { DataError } from '../core/errors.ts';
import { nodeModule } from '../core/node.ts';
import { compareNames } from './compare-names.ts';
import { formatOfName } from './formats.ts';

/** A folder by the path that led to it and by its own, which differ behind symbolic links. */
export interface Folder {
  readonly path: string;
  readonly realPath: string;
  readonly isLink: boolean;
  /** The folder that it was found in; null for the first. */
  readonly parent: Folder | null;
}

/** What is in a folder, links followed. */
interface Content {
  readonly folders: Folder[];
  /** Names of files. */
  readonly files: string[];
  /** What is wrong with it, in sentences. */
  readonly problems: string[];
}

/** Pictures of a class. */
export interface Pictures {
  /** Folder by folder in the order of their paths, in each in the order of names. */
  readonly paths: string[];
  /** Why some were left out. */
  readonly problems: string[];
}

/** Folders that link to each other make more paths than there are files on a disk. */
const MOST_LINKS = 10_000;
/** Links are looked up so many at once. */
const LOOKUPS = 256;

/** Reads folders; symbolic links are followed, and names with a dot in front are left out. */
export class FolderReader {
  /** @throws ValueError outside of Node */
  readonly #node = { ...nodeModule('node:fs/promises'), ...nodeModule('node:path') };

  /** @throws DataError if there is no such folder */
  async open(path: string): Promise<Folder> {
    try {
      return { path, realPath: await this.#node.realpath(path), isLink: false, parent: null };
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /**
   * What is in a folder, sorted by name, but for links to a folder that they lie in.
   *
   * @throws DataError if it cannot be read
   */
  async read(folder: Folder): Promise<Content> {
    const { join, readdir } = this.#node;
    let entries: Dirent[];
    try {
      entries = await readdir(folder.path, { withFileTypes: true });
    } catch (error) {
      throw unreadable(folder.path, error);
    }
    const content: Content = { folders: [], files: [], problems: [] };
    const links: string[] = [];
    for (const entry of entries) {
      const { name } = entry;
      if (name.startsWith('.')) continue;
      if (entry.isFile()) content.files.push(name);
      else if (entry.isSymbolicLink()) links.push(name);
      else if (entry.isDirectory()) {
        const [path, realPath] = [join(folder.path, name), join(folder.realPath, name)];
        content.folders.push({ path, realPath, isLink: false, parent: folder });
      }
    }
    for (let start = 0; start < links.length; start += LOOKUPS) {
      const some = links.slice(start, start + LOOKUPS);
      await Promise.all(some.map((name) => this.#follow(folder, name, content)));
    }
    content.files.sort(compareNames);
    content.folders.sort((a, b) => compareNames(a.path, b.path));
    content.problems.sort(compareNames);
    return content;
  }

  /** Puts what a link leads to where it belongs. */
  async #follow(folder: Folder, name: string, content: Content): Promise<void> {
    const { join, realpath, sep, stat } = this.#node;
    const path = join(folder.path, name);
    try {
      const found = await stat(path);
      if (found.isFile()) content.files.push(name);
      if (!found.isDirectory()) return;
      const realPath = await realpath(path);
      if (liesIn(folder, realPath, sep)) return;
      content.folders.push({ path, realPath, isLink: true, parent: folder });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isBroken = code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR';
      const reason = isBroken
        ? 'is a link that leads nowhere'
        : `cannot be followed: ${systemReason(error)}`;
      content.problems.push(`${printablePath(path)} ${reason}; mend or remove it`);
    }
  }

  /**
   * All pictures in a folder and those in it.
   *
   * @throws DataError if a folder cannot be read, or links make endlessly many of them
   */
  async findPictures(first: Folder): Promise<Pictures> {
    const { join, sep } = this.#node;
    const found: { readonly folder: Folder; readonly names: readonly string[] }[] = [];
    const problems: string[] = [];
    let links = 0;
    const waiting = [first];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const content = await this.read(folder);
      links += content.folders.filter(({ isLink }) => isLink).length;
      if (links > MOST_LINKS) {
        throw new DataError(
          `ImageFolder: ${printablePath(first.path)} has over ${MOST_LINKS} links to folders in it; remove those ` +
            'between folders that link to each other',
        );
      }
      const start = join(folder.path, sep);
      const names: string[] = [];
      for (const name of content.files) {
        const format = formatOfName(name);
        if (format === 'read') names.push(name);
        else if (format !== null) {
          problems.push(
            `${printablePath(start + name)} is ${format.other}, which is not read; convert it to PNG ` +
              'or JPEG, or remove it',
          );
        }
      }
      found.push({ folder, names });
      for (const inner of content.folders) waiting.push(inner);
      for (const problem of content.problems) problems.push(problem);
    }
    found.sort((a, b) => compareNames(a.folder.path, b.folder.path));
    const paths: string[] = [];
    for (const { folder, names } of found) {
      const start = join(folder.path, sep);
      for (const name of names) paths.push(start + name);
    }
    return { paths, problems };
  }
}

/** Whether `folder` is `realPath` or was reached through it, so that following would not end. */
function liesIn(folder: Folder, realPath: string, separator: string): boolean {
  const start = realPath.endsWith(separator) ? realPath : realPath + separator;
  for (let outer: Folder | null = folder; outer !== null; outer = outer.parent) {
    if ((outer.realPath + separator).startsWith(start)) return true;
  }
  return false;
}

function unreadable(path: string, error: unknown): DataError {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const reason = isMissing ? 'no such folder' : systemReason(error);
  return new DataError(`ImageFolder: ${printablePath(path)}: ${reason}`, { cause: error });
}
