import { FirelightError } from '@firelight/tensor';
import { writeFileAtomic } from '../checkpoint/atomic-write.ts';
import { nodeModule } from '../core/node.ts';

/** What a log does about lines that it cannot read. */
export interface LogOptions {
  /** Told of lines that cannot be read when a training is resumed; the console by default. */
  readonly warn?: (text: string) => void;
}

/** A row of a log by its line; null for a line that is no row. */
export type RowParser<Row> = (line: string) => Row | null;

/**
 * A text file that grows by a line at a time, each written at once: so a killed process leaves all
 * lines up to its last checkpoint, and at most one cut line after them.
 */
export class LogFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Begins the file anew with `head`. */
  async begin(head: string): Promise<void> {
    const { mkdir, writeFile } = nodeModule('node:fs/promises');
    const { dirname } = nodeModule('node:path');
    await explained(this.#path, async () => {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(this.#path, head);
    });
  }

  /** Drops the rows that `keeps` refuses, and with a warning what is no row. */
  async resume<Row>(
    head: string,
    parse: RowParser<Row>,
    keeps: (row: Row) => boolean,
    warn: (text: string) => void,
  ): Promise<void> {
    const rows = (await readRows(this.#path, head, parse, warn)) ?? [];
    const kept = rows.filter(({ row }) => keeps(row)).map(({ line }) => `${line}\n`);
    const bytes = new TextEncoder().encode(head + kept.join(''));
    await explained(this.#path, () => writeFileAtomic(this.#path, bytes));
  }

  /** @throws FirelightError if it cannot be written, with the path and why */
  append(line: string): Promise<void> {
    return appendTo(this.#path, `${line}\n`);
  }
}

/** @throws FirelightError if it cannot be written, with the path and why */
export async function appendTo(path: string, content: string | Uint8Array): Promise<void> {
  const { appendFile } = nodeModule('node:fs/promises');
  await explained(path, () => appendFile(path, content));
}

/**
 * The rows of a log with their lines; null if there is no file. A last line without an end, as a
 * power failure leaves it, and lines that are no rows are left out with a warning.
 *
 * @param head the beginning of a file that is whole
 * @throws FirelightError if the file cannot be read
 */
export async function readRows<Row>(
  path: string,
  head: string,
  parse: RowParser<Row>,
  warn: (text: string) => void,
): Promise<{ readonly line: string; readonly row: Row }[] | null> {
  const { readFile } = nodeModule('node:fs/promises');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new FirelightError(`${path}: cannot be read: ${message}`, { cause: error });
  }
  const lines = text.split('\n');
  const cut = lines.pop();
  const rows: { line: string; row: Row }[] = [];
  const broken: number[] = [];
  for (const [i, line] of lines.entries()) {
    if (i === 0 && head !== '' && `${line}\n` === head) continue;
    const row = parse(line);
    if (row === null) broken.push(i + 1);
    else rows.push({ line, row });
  }
  if (broken.length > 0) {
    const [first, ...others] = broken;
    const lines = others.length === 0 ? `line ${first}` : `line ${first} and ${others.length} more`;
    warn(`${path}: ${lines} cannot be read, left out`);
  }
  if (cut !== '') {
    warn(`${path}: the last line is cut off, as by a power failure, left out`);
  }
  return rows;
}

/** Says in the error of a failed writing what cannot be written and why. */
async function explained(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOSPC' ? 'the disk is full' : message;
    throw new FirelightError(`${path}: cannot be written: ${why}; checkpoints are whole`, {
      cause: error,
    });
  }
}
