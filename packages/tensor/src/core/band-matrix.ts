/** The elements of a row that are not left out, from column `first` on. */
export interface BandRow {
  readonly first: number;
  readonly weights: readonly number[];
}

/** A matrix of few elements, which lie side by side in each row; all others are 0. */
export class BandMatrix {
  /** Tells matrices apart, for what is made of one and kept. */
  readonly key: string;
  readonly columns: number;
  /** Row i has the weights from starts[i] to before starts[i + 1]. */
  readonly starts: Int32Array;
  /** Columns of the first weights of rows. */
  readonly firsts: Int32Array;
  readonly weights: Float64Array;
  #transposed: BandMatrix | null = null;

  constructor(key: string, columns: number, rows: readonly BandRow[]) {
    this.key = key;
    this.columns = columns;
    this.firsts = Int32Array.from(rows, ({ first }) => first);
    this.starts = new Int32Array(rows.length + 1);
    rows.forEach(({ weights }, i) => {
      this.starts[i + 1] = this.starts[i] + weights.length;
    });
    this.weights = new Float64Array(this.starts[rows.length]);
    rows.forEach(({ weights }, i) => {
      this.weights.set(weights, this.starts[i]);
    });
  }

  get rows(): number {
    return this.firsts.length;
  }

  /** Most weights of a row. */
  get width(): number {
    const { starts } = this;
    return this.firsts.reduce((most, _, i) => Math.max(most, starts[i + 1] - starts[i]), 0);
  }

  /** Whether the product with it changes nothing. */
  get isIdentity(): boolean {
    const { rows, columns, starts, firsts, weights } = this;
    return (
      rows === columns &&
      starts.every((start, i) => start === i) &&
      firsts.every((first, i) => first === i && weights[i] === 1)
    );
  }

  /** The matrix with rows and columns exchanged; its own transpose is this. */
  get transposed(): BandMatrix {
    if (this.#transposed === null) {
      this.#transposed = new BandMatrix(`${this.key} transposed`, this.rows, columnsOf(this));
      this.#transposed.#transposed = this;
    }
    return this.#transposed;
  }
}

/** The columns of a matrix whose weights lie side by side in them too. */
function columnsOf({ rows, columns, starts, firsts, weights }: BandMatrix): BandRow[] {
  const result = Array.from({ length: columns }, () => ({ first: 0, weights: [] as number[] }));
  for (let row = 0; row < rows; row++) {
    for (let i = starts[row]; i < starts[row + 1]; i++) {
      if (weights[i] === 0) continue;
      const column = result[firsts[row] + i - starts[row]];
      if (column.weights.length === 0) column.first = row;
      // Rows between that have no weight here.
      while (column.first + column.weights.length < row) column.weights.push(0);
      column.weights.push(weights[i]);
    }
  }
  return result;
}
