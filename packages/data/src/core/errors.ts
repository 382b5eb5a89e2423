import { FirelightError } from '@firelight/tensor';

/** A data file, folder or archive that is missing, damaged or not what it should be. */
export class DataError extends FirelightError {
  override name = 'DataError';
}
