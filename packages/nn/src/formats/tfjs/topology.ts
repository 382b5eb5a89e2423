import { quote } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import { isRecord } from '../../core/schema.ts';

/** A layer of Keras as `model.json` describes it. */
export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  /** Its options, with the names and values that Keras has for them; to be checked where they are used. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A layer and the places, in the list of all, of those whose outputs it takes. */
export interface KerasNode {
  readonly layer: KerasLayer;
  readonly inputs: readonly number[];
  /** Why it is not read here, whatever its class; null where it is. */
  readonly problem: string | null;
}

/** All layers, those of models inside of models too, each behind those whose outputs it takes. */
export interface KerasGraph {
  /** The first one is the input. */
  readonly nodes: readonly KerasNode[];
  /** The place of the layer that gives the output. */
  readonly output: number;
}

export const AS_ONNX = 'convert the model to ONNX (tf2onnx) and open that';
const INPUT = 'InputLayer';
/** Models, which may stand among the layers of others. */
const MODELS: ReadonlySet<unknown> = new Set(['Sequential', 'Functional', 'Model']);
/** More models in models are no model's that somebody made. */
const MAX_DEPTH = 20;

/**
 * The layers of a model, a Sequential or a graph with one input and one output.
 *
 * @throws the source's error for what is none
 * @see keras-team/tf-keras, tf_keras/engine/functional.py, get_config; tensorflow/tfjs,
 *   tfjs-layers/src/engine/container.ts, getConfig
 */
export function readGraph(source: ByteSource, className: unknown, config: unknown): KerasGraph {
  if (!MODELS.has(className)) {
    const what = typeof className === 'string' ? quote(className) : 'of no class';
    throw source.error(`is ${what}, and only Sequential and Functional are read here; ${AS_ONNX}`);
  }
  const reader = new GraphReader(source);
  const output = reader.add(className === 'Sequential', config, null, 0);
  if (reader.nodes[0].layer.className === INPUT) return { nodes: reader.nodes, output };
  throw source.error('has no input before its layers; save the model again');
}

class GraphReader {
  readonly nodes: KerasNode[] = [];
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /**
   * Adds the layers of a model.
   *
   * @param input the place of what a model inside of another takes; null for the outermost
   * @returns the place of its output
   */
  add(isSequential: boolean, config: unknown, input: number | null, depth: number): number {
    if (depth > MAX_DEPTH) {
      throw this.#source.error(`has models in models, more than ${MAX_DEPTH} deep; ${AS_ONNX}`);
    }
    const layers: unknown = isRecord(config) ? config.layers : config;
    if (!Array.isArray(layers) || layers.length === 0) {
      const what = isSequential ? 'Sequential' : 'Functional';
      throw this.#source.error(`has a ${what} without layers; save the model again`);
    }
    return isSequential
      ? this.#addSequential(layers, input, depth)
      : this.#addFunctional(layers, config as Record<string, unknown>, input, depth);
  }

  #addSequential(layers: readonly unknown[], input: number | null, depth: number): number {
    let last = input;
    for (const [i, description] of layers.entries()) {
      const layer = this.#layer(description, i);
      if (last === null && layer.className !== INPUT && !MODELS.has(layer.className)) {
        // The first layer says itself what the model takes.
        last = this.#push({ ...layer, className: INPUT }, []);
      }
      last = this.#addLayer(layer, last === null ? [] : [last], depth);
    }
    return last as number; // As there is a layer.
  }

  #addFunctional(
    layers: readonly unknown[],
    config: Readonly<Record<string, unknown>>,
    input: number | null,
    depth: number,
  ): number {
    const places = new Map<string, number>();
    for (const [i, description] of layers.entries()) {
      const layer = this.#layer(description, i);
      const calls = (description as Record<string, unknown>).inbound_nodes;
      let inputs: readonly number[] = input === null ? [] : [input];
      let problem: string | null = null;
      if (layer.className !== INPUT) {
        const [call, ...others] = Array.isArray(calls) ? calls : [];
        inputs = this.#inputs(layer, call, places);
        if (others.length > 0) problem = `${layer.className} that is called several times`;
      } else if (input === null && this.nodes.length > 0) {
        throw this.#source.error(`has several inputs, and one is read here; ${AS_ONNX}`);
      }
      places.set(layer.name, this.#addLayer(layer, inputs, depth, problem));
    }
    const outputs = config.output_layers;
    const [output] = Array.isArray(outputs) && outputs.length === 1 ? outputs : [];
    const place = places.get(Array.isArray(output) ? output[0] : undefined);
    if (place !== undefined) return place;
    throw this.#source.error(`has no single output among its layers; ${AS_ONNX}`);
  }

  /** The places of what a layer takes: a list of `[layer, node, output, options]`. */
  #inputs(layer: KerasLayer, call: unknown, places: ReadonlyMap<string, number>): number[] {
    const entries: readonly unknown[] = Array.isArray(call) ? call : [];
    const inputs = entries.map((entry) => {
      const [name, , output] = Array.isArray(entry) ? entry : [];
      return output === 0 ? places.get(name) : undefined;
    });
    if (inputs.length > 0 && inputs.every((place) => place !== undefined)) return inputs;
    throw this.#source.error(
      `layer ${quote(layer.name)} takes no output of a layer before it, as far as its inbound_nodes tell; ` +
        AS_ONNX,
    );
  }

  #addLayer(
    layer: KerasLayer,
    inputs: readonly number[],
    depth: number,
    problem: string | null = null,
  ): number {
    if (MODELS.has(layer.className) && inputs.length <= 1 && problem === null) {
      const isSequential = layer.className === 'Sequential';
      return this.add(isSequential, layer.config, inputs[0] ?? null, depth + 1);
    }
    // The input of a model in a model is what that is called with.
    if (layer.className === INPUT && inputs.length > 0) return inputs[0];
    return this.#push(layer, inputs, problem);
  }

  #push(layer: KerasLayer, inputs: readonly number[], problem: string | null = null): number {
    return this.nodes.push({ layer, inputs, problem }) - 1;
  }

  #layer(layer: unknown, i: number): KerasLayer {
    if (isRecord(layer) && typeof layer.class_name === 'string') {
      const { class_name: className, config } = layer;
      // In old files the config of a Sequential is the list itself.
      const options = Array.isArray(config) && MODELS.has(className) ? { layers: config } : config;
      if (isRecord(options)) {
        const name = options.name ?? layer.name;
        return { className, name: typeof name === 'string' ? name : `layer_${i}`, config: options };
      }
    }
    throw this.#source.error(`layer ${i} has no class_name and config; save the model again`);
  }
}
