import { FirelightError, FormatError } from '@firelight/tensor';

/** A checkpoint file that is cut, damaged, of another kind, or does not fit the network. */
export class CheckpointError extends FormatError {
  override name = 'CheckpointError';
}

/** A training that cannot go on, because its numbers are not finite any more. */
export class TrainingError extends FirelightError {
  override name = 'TrainingError';
}
