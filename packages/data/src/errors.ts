import { FirelightError } from '@firelight/tensor';

/** A data file, folder or archive that is missing, damaged or not what it should be. */
export class DataError extends FirelightError {
  override name = 'DataError';
}

const QUOTED_LENGTH = 40;

/** Characters that a terminal may obey and JSON leaves as they are: controls, and changes of direction. */
const CONTROLS = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text out of a file that may be hostile, as a message shows it: escaped, and cut where long. */
export function quote(text: string): string {
  const shown = text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}…` : text;
  const escaped = (letter: string): string =>
    `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(shown).replace(CONTROLS, escaped);
}
