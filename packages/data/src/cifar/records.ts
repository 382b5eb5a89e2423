import { checkIndex } from '../core/check.ts';
import { CIFAR_IMAGE_BYTES } from './constants.ts';

/** Where the records of a file are; a plain object, so that it can be sent to a worker thread. */
export interface RecordTable {
  /** Image `i` is the 3072 bytes at `offset + i · stride`. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly stride: number;
  readonly labels: Uint8Array;
  readonly coarseLabels: Uint8Array | null;
  /** Name of the file in messages. */
  readonly source: string;
}

/** Records of one CIFAR file; the images are views of its bytes, never copies. */
export class CifarRecords {
  readonly table: RecordTable;

  constructor(table: RecordTable) {
    this.table = table;
  }

  /** Number of records. */
  get count(): number {
    return this.table.labels.length;
  }

  /** Class numbers, one for each record: 0 to 9, or the fine ones 0 to 99 of CIFAR-100. */
  get labels(): Uint8Array {
    return this.table.labels;
  }

  /** CIFAR-100's numbers 0 to 19 of the superclasses; null for CIFAR-10. */
  get coarseLabels(): Uint8Array | null {
    return this.table.coarseLabels;
  }

  /**
   * The 3072 bytes of image `index`: 1024 red, 1024 green, 1024 blue, each row by row.
   *
   * @throws ValueError if there is no such record
   */
  image(index: number): Uint8Array {
    const { bytes, offset, stride, source } = this.table;
    checkIndex(source, index, this.count);
    const start = offset + index * stride;
    return bytes.subarray(start, start + CIFAR_IMAGE_BYTES);
  }
}
