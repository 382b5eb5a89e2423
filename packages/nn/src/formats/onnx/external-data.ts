import { quote } from '@firelight/tensor/extend';
import { type ByteSource, bytesSource } from '@firelight/tensor/formats';
import { CheckpointError } from '../../core/errors.ts';
import { nodeModule } from '../../core/node.ts';
import { openSource } from '../open-source.ts';

/** Files with elements that a model names, by the names that it has for them. */
export type ExternalFiles = Readonly<Record<string, Uint8Array>>;

/**
 * Whether a model may name a file so: below its own folder, by a path that means the same everywhere.
 */
function isInside(location: string): boolean {
  if (/[\\:\0]/.test(location)) return false;
  return location.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/**
 * The files that tensors of a model name: those that are given, or else, for a model that was opened by
 * its path, those in its folder. A link that leads out of the folder is not followed.
 *
 * @param path of the model; null for one that was given as bytes
 * @throws the model's error for a file outside of the folder, or one that is missing
 */
export async function openExternal(
  model: ByteSource,
  locations: Iterable<string>,
  { path, given }: { readonly path: string | null; readonly given: ExternalFiles },
): Promise<ReadonlyMap<string, ByteSource>> {
  const files = new Map<string, ByteSource>();
  for (const location of new Set(locations)) {
    if (!isInside(location)) {
      throw model.error(
        `has tensors in ${quote(location)}, which is not in the model's folder; only files there are read`,
      );
    }
    files.set(location, await openOne(model, location, path, given));
  }
  return files;
}

async function openOne(
  model: ByteSource,
  location: string,
  path: string | null,
  given: ExternalFiles,
): Promise<ByteSource> {
  if (Object.hasOwn(given, location)) {
    return bytesSource(given[location], { name: location, error: CheckpointError });
  }
  if (path === null) {
    throw model.error(
      `has tensors in the file ${quote(location)}; pass its bytes as externalData: { ${quote(location)}: … }`,
    );
  }
  const { realpath } = nodeModule('node:fs/promises');
  const { dirname, join, sep } = nodeModule('node:path');
  const folder = await realpath(dirname(path));
  const file = join(folder, location);
  const real = await realpath(file).catch(() => file); // Opening it says what is wrong.
  if (real.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return openSource(real);
  throw model.error(
    `has tensors in ${quote(location)}, a link that leads out of the model's folder; copy the file there`,
  );
}
