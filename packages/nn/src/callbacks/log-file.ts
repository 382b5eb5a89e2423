import { FirelightError } from '@firelight/tensor';

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
    const { mkdir, writeFile } = await import('node:fs/promises');
    const { dirname } = await import('node:path');
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(this.#path, head);
  }

  /** Drops the lines that `keeps` refuses, and a last one without an end; `head` if no file is there. */
  async resume(head: string, keeps: (line: string) => boolean): Promise<void> {
    const { readFile } = await import('node:fs/promises');
    const { writeFileAtomic } = await import('../checkpoint/atomic-write.ts');
    const text = await readFile(this.#path, 'utf8').catch(() => head);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const lines = whole.split('\n').slice(0, -1);
    const kept = lines.filter(keeps).map((line) => `${line}\n`);
    await writeFileAtomic(this.#path, new TextEncoder().encode(kept.join('') || head));
  }

  /** @throws FirelightError if it cannot be written, with the path and why */
  async append(line: string): Promise<void> {
    const { appendFile } = await import('node:fs/promises');
    try {
      await appendFile(this.#path, `${line}\n`);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'ENOSPC' ? 'the disk is full' : message;
      throw new FirelightError(`${this.#path}: cannot be written: ${why}; checkpoints are whole`, {
        cause: error,
      });
    }
  }
}
