import { isOfTraining } from '../training-names.ts';

/** What PyTorch keeps of a norm, and only an average without weights needs. */
const BATCHES = /\.num_batches_tracked$/;

/** The names of a file, of which there may be many, made ready for being compared with many networks. */
export class FileNames {
  readonly #all: ReadonlySet<string>;
  /** Those by their last two names between dots. */
  readonly #endings = new Map<string, string[]>();
  /** Those that must be of the network: neither of the training, nor what norms of PyTorch count. */
  readonly weights: ReadonlySet<string>;

  constructor(names: readonly string[]) {
    this.#all = new Set(names);
    this.weights = new Set(names.filter((name) => !BATCHES.test(name) && !isOfTraining(name)));
    for (const name of names) {
      const ending = endingOf(name);
      const found = this.#endings.get(ending);
      if (found === undefined) this.#endings.set(ending, [name]);
      else found.push(name);
    }
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  /** What to put before names to find them here; '' if they are here as they are, or not at all. */
  prefixOf(wanted: readonly string[]): string {
    if (wanted.length === 0 || wanted.some((name) => this.has(name))) return '';
    const [first] = wanted;
    for (const name of this.#endings.get(endingOf(first)) ?? []) {
      const prefix = name.slice(0, -first.length);
      if (name === prefix + first && prefix.endsWith('.')) return prefix;
    }
    return '';
  }
}

function endingOf(name: string): string {
  return name.split('.').slice(-2).join('.');
}
