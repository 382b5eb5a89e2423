import type { Shape, Tensor } from '@firelight/tensor';
import { formatShape, quote, sameShape } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import type { StateDict } from '../../module/module.ts';

/** Gives layers their weights, and knows which nobody has taken. */
export class WeightTaker {
  readonly #source: ByteSource;
  readonly #weights: StateDict;
  readonly #unused: Set<string>;
  /** Names of weights by `layer/part`, for each of the names that stand before the part. */
  readonly #named = new Map<string, string[]>();

  constructor(source: ByteSource, weights: StateDict) {
    this.#source = source;
    this.#weights = weights;
    this.#unused = new Set(Object.keys(weights));
    for (const name of this.#unused) {
      // `model/layer/kernel:0`, as Keras has it, or `layer/kernel`.
      const names = name.replace(/:\d+$/, '').split('/');
      const part = names.pop();
      for (const layer of new Set(names)) {
        const key = `${layer}/${part}`;
        const found = this.#named.get(key);
        if (found === undefined) this.#named.set(key, [name]);
        else found.push(name);
      }
    }
  }

  /** Names of weights that no layer has taken. */
  get unused(): readonly string[] {
    return [...this.#unused];
  }

  /** @throws the source's error unless there is one such weight, of this shape */
  take(layer: string, part: string, shape: Shape): Tensor {
    const key = `${layer}/${part}`;
    const [name, ...others] = this.#named.get(key) ?? [];
    if (name === undefined || others.length > 0) {
      throw this.#source.error(
        `has ${name === undefined ? 'no weight' : 'several weights'} ${quote(key)}; take the files that ` +
          'were saved with it',
      );
    }
    const weight = this.#weights[name];
    if (!sameShape(weight.shape, shape)) {
      throw this.#source.error(
        `weight ${quote(name)} is ${formatShape(weight.shape)}, and its layer needs ` +
          `${formatShape(shape)}; save the model again`,
      );
    }
    this.#unused.delete(name);
    return weight;
  }
}
