import { FirelightError } from '@firelight/tensor';

/** A data file, folder or archive that is missing, damaged or not what it should be. */
export class DataError extends FirelightError {
  override name = 'DataError';
}

const QUOTED_LENGTH = 40;

/** Text out of a file that may be hostile, as a message shows it: escaped, and cut where long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text);
}
