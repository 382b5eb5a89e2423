/** What is shown after each step. */
export interface Progress {
  readonly label: string;
  /** Steps done and to do, counted over the whole run. */
  readonly step: number;
  readonly steps: number;
  readonly images: number;
  readonly details: string;
}

/** Plain lines printed over a whole run, where there is no terminal. */
const PLAIN_LINES = 20;
const BAR_WIDTH = 24;

/** Seconds as `m:ss`. */
function formatTime(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/**
 * Shows progress: a bar that redraws itself on a terminal, and a plain line at every twentieth part
 * elsewhere (the same steps in every run, so that two runs can be compared).
 */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  readonly #start = performance.now();
  #images = 0;

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
  }

  update({ label, step, steps, images, details }: Progress): void {
    this.#images += images;
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = `${(this.#images / seconds).toFixed(1)} images/s`;
    const left = `${formatTime((seconds / step) * (steps - step))} left`;
    if (this.#stream.isTTY) {
      const filled = Math.round((step / steps) * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      const line = `${label} ${bar} ${step}/${steps}  ${details}  ${rate}  ${left}`;
      this.#stream.write(`\r\x1b[K${line.slice(0, this.#stream.columns)}`);
      if (step === steps) this.#stream.write('\n');
    } else if (step === steps || step % Math.ceil(steps / PLAIN_LINES) === 0) {
      this.#stream.write(`${label}  step ${step}/${steps}  ${details}  ${rate}  ${left}\n`);
    }
  }
}
