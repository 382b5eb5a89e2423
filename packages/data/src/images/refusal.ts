import { DataError } from '../core/errors.ts';

/** A whole picture that is not read for its kind or size; the message says what to do instead. */
export class Refusal extends DataError {}
