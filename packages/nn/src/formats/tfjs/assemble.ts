import { FirelightError, type Shape } from '@firelight/tensor';
import { quote, quoteSome } from '@firelight/tensor/extend';
import type { ByteSource } from '@firelight/tensor/formats';
import { CheckpointError } from '../../core/errors.ts';
import { Sequential } from '../../layers/sequential.ts';
import { Module, type StateDict } from '../../module/module.ts';
import { Config, Unsupported } from './config.ts';
import { type Flow, inKerasOrder, inputFlow } from './flow.ts';
import { BUILDERS } from './layers.ts';
import { LayersGraph, type Step } from './layers-graph.ts';
import { MERGERS } from './merges.ts';
import { AS_ONNX, type KerasGraph, type KerasNode } from './topology.ts';
import { WeightTaker } from './weight-taker.ts';

/** A network made of layers, and what it takes. */
export interface Assembled {
  readonly network: Module;
  readonly inputShape: Shape;
  readonly unused: readonly string[];
}

/** Where the output of a layer is among the values of the network, and what it is. */
interface Value {
  readonly place: number;
  readonly flow: Flow;
}

/**
 * The network of layers, with their weights.
 *
 * @throws the source's error with all layers and options that are not read here, or the weight that is not
 *   as its layer needs it
 */
export function assemble(source: ByteSource, graph: KerasGraph, weights: StateDict): Assembled {
  const assembly = new Assembly(new WeightTaker(source, weights));
  const [{ layer: first }, ...nodes] = graph.nodes;
  const input = inputFlow(first.config.batch_input_shape ?? first.config.batch_shape);
  if (input === null) {
    assembly.problems.add(
      'an input that is neither images of a known size nor features',
      first.name,
    );
  }
  /** Null behind something that is not read, where layers are only looked at by class. */
  const values: (Value | null)[] = [input === null ? null : { place: 0, flow: input }];
  for (const node of nodes) {
    const given = node.inputs.map((place) => values[place]);
    try {
      values.push(assembly.add(node, given));
    } catch (error) {
      if (error instanceof CheckpointError || !(error instanceof FirelightError)) throw error;
      throw source.error(`layer ${quote(node.layer.name)}: ${error.message}`, { cause: error });
    }
  }
  const output = values[graph.output];
  if (assembly.problems.isAny || output === null || input === null) {
    throw source.error(`has what is not read here: ${assembly.problems.list()}; ${AS_ONNX}`);
  }
  return {
    network: assembly.network(output).eval(),
    inputShape: input.kind === 'images' ? input.shape : [input.count],
    unused: assembly.taker.unused,
  };
}

class Assembly {
  readonly taker: WeightTaker;
  readonly problems = new Problems();
  readonly #steps: Step[] = [];
  readonly #names = new Set<string>();

  constructor(taker: WeightTaker) {
    this.taker = taker;
  }

  /** Adds a layer to what is computed; null if it, or something before it, is not read here. */
  add({ layer, problem }: KerasNode, given: readonly (Value | null)[]): Value | null {
    const { className, name } = layer;
    const build = BUILDERS.get(className);
    const merge = MERGERS.get(className);
    if (build === undefined && merge === undefined) this.problems.add(quote(className), name);
    if (problem !== null) this.problems.add(problem, name);
    if (problem !== null || !given.every((value) => value !== null)) return null;
    const config = new Config(layer);
    try {
      if (merge !== undefined) {
        const { before, join, flow } = merge(
          config,
          given.map((value) => value.flow),
        );
        const inputs = given.map(({ place }, i) => this.#chain(name, place, before[i]));
        return { place: this.#step({ name, apply: join, inputs }), flow };
      }
      if (build === undefined) return null;
      if (given.length !== 1) throw new Unsupported(`${className} of several tensors`);
      const [{ place, flow: before }] = given;
      const { modules, flow } = build(config, before, (part, shape) =>
        this.taker.take(name, part, shape),
      );
      return { place: this.#chain(name, place, modules), flow };
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      this.problems.add(error.message, name);
      return null;
    }
  }

  /** The network that gives a value; features come out in the order that they have in Keras. */
  network({ place, flow }: Value): Module {
    const last = flow.kind === 'images' ? [] : inKerasOrder(flow);
    const output = this.#chain('channels_last', place, last);
    const modules: (readonly [string, Module])[] = [];
    for (const [i, { name, apply, inputs }] of this.#steps.entries()) {
      if (apply instanceof Module && inputs[0] === i) modules.push([name, apply]);
    }
    const isChain = modules.length === this.#steps.length && output === modules.length;
    return isChain ? new Sequential(modules) : new LayersGraph(this.#steps, output);
  }

  #chain(name: string, place: number, modules: readonly Module[]): number {
    return modules.reduce(
      (last, apply) => this.#step({ name: this.#freeName(name), apply, inputs: [last] }),
      place,
    );
  }

  /** Adds a step; the place of what it gives. */
  #step(step: Step): number {
    return this.#steps.push(step);
  }

  /** A name that a module can have, and none before it has. */
  #freeName(name: string): string {
    const base = name.replace(/[^\w-]/g, '_') || 'layer';
    // By their count, as a search would take long in a file of many like names.
    const free = this.#names.has(base) ? `${base}_${this.#names.size}` : base;
    this.#names.add(free);
    return free;
  }
}

/** Most kinds of what is not read that a message tells. */
const SHOWN_PROBLEMS = 12;

/** What a model has that is not read, each with the layers that have it. */
class Problems {
  readonly #layers = new Map<string, string[]>();

  get isAny(): boolean {
    return this.#layers.size > 0;
  }

  add(what: string, layer: string): void {
    const layers = this.#layers.get(what);
    if (layers === undefined) this.#layers.set(what, [layer]);
    else layers.push(layer);
  }

  list(): string {
    const all = [...this.#layers].map(([what, layers]) => `${what} (${quoteSome(layers)})`);
    const more = all.length - SHOWN_PROBLEMS;
    return `${all.slice(0, SHOWN_PROBLEMS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  }
}
