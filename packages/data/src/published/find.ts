import { expectThat } from '@firelight/tensor/extend';
import type { Forms } from '../archive/archive.ts';
import { isFile, locateFolder, whereToPutFiles } from '../archive/files.ts';
import { expectOptions, expectText } from '../core/check.ts';
import { DataError } from '../core/errors.ts';

/** A folder with files of a data set (or one file that was asked for), and what led to it. */
export interface FoundFiles {
  readonly path: string;
  /** `'explicit'`, the name of the environment variable, or the candidate as it was given. */
  readonly origin: string;
}

/** Where to look for a data set. */
export interface FindOptions {
  /** A path that the user gave; it is never replaced by another. */
  readonly explicit?: string | undefined;
  /** Where the variable is looked up; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folders in the order in which they are tried. */
  readonly candidates?: readonly string[];
}

/** Which data set is looked for, and where it is if nobody says otherwise. */
export interface WantedFiles {
  /** The function that looks for it, for messages. */
  readonly op: string;
  readonly forms: Forms;
  /** Environment variable that names its folder. */
  readonly variable: string;
  readonly candidates: readonly string[];
}

/**
 * Looks for the files of a data set: the explicit path, else that of the variable, else the first
 * candidate that has some; null if none has. A path that was asked for, by argument or variable, is
 * never replaced.
 *
 * @throws ValueError if an option is of the wrong type
 * @throws DataError if the explicit path or that of the variable has no file of the data set
 */
export async function findPublished(
  wanted: WantedFiles,
  options: FindOptions = {},
): Promise<FoundFiles | null> {
  const { op, forms, variable } = wanted;
  const {
    explicit,
    env = process.env,
    candidates = wanted.candidates,
  } = expectOptions(op, options);
  if (explicit !== undefined) expectText(`${op}: explicit`, explicit);
  expectOptions(`${op}: env`, env);
  const isRight = Array.isArray(candidates) && candidates.every((path) => typeof path === 'string');
  expectThat(isRight, op, 'candidates', 'a list of paths', candidates);
  if (explicit !== undefined) return demand(wanted, explicit, 'explicit');
  const fromVariable = env[variable];
  if (fromVariable !== undefined && fromVariable !== '') {
    return demand(wanted, fromVariable, variable);
  }
  for (const candidate of candidates) {
    const path = await locateFolder(candidate, forms);
    if (path !== null) return { path, origin: candidate };
  }
  return null;
}

async function demand(
  { op, forms, variable }: WantedFiles,
  path: string,
  origin: string,
): Promise<FoundFiles> {
  const folder = (await isFile(path)) ? path : await locateFolder(path, forms);
  if (folder === null) {
    const [{ title }] = forms;
    const asked = origin === variable ? `${path} (from ${variable})` : path;
    throw new DataError(`${op}: no ${title} files in ${asked}; ${whereToPutFiles(path, forms)}`);
  }
  return { path: folder, origin };
}
