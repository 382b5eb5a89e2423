/** Steps in a row that tell a dead output from chance. */
const ENOUGH_STEPS = 10;

/**
 * Notices a network whose logits are all 0: a last ReLU has died, no gradient passes it, and the
 * loss stays at ln(numClasses) for ever.
 */
export class DeadOutputWatch {
  readonly #warn: (text: string) => void;
  #dead = 0;
  #hasWarned = false;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** @param steps steps of an epoch, if known: the warning comes within the first */
  after(isDead: boolean, steps: number | null): void {
    this.#dead = isDead ? this.#dead + 1 : 0;
    if (this.#hasWarned || this.#dead < Math.min(ENOUGH_STEPS, steps ?? ENOUGH_STEPS)) return;
    this.#hasWarned = true;
    this.#warn(
      `all logits were 0 in ${this.#dead} steps in a row: the ReLU at the end of the network has ` +
        'died, and the loss will stay at ln(numClasses). Leave it out (SqueezeNet: headRelu: ' +
        'false), or start anew with a smaller learning rate, a warm-up or another seed.',
    );
  }
}
