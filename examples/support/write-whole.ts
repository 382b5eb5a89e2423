import { writeFileAtomic } from '@firelight/nn';
import { FirelightError } from '@firelight/tensor';
import { printablePath, systemReason } from '@firelight/tensor/extend';

/**
 * Writes a file as a whole or not at all, whoever else writes it at the same time.
 *
 * @throws FirelightError with the path and why it cannot be written
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, Buffer.from(content));
  } catch (error) {
    throw new FirelightError(
      `${printablePath(path)}: cannot be written: ${systemReason(error)}; what was there is whole`,
      { cause: error },
    );
  }
}
