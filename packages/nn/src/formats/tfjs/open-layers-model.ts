import { FirelightError, type Shape } from '@firelight/tensor';
import { quote, quoteSome } from '@firelight/tensor/extend';
import { type ByteSource, bytesSource, fileSource } from '@firelight/tensor/formats';
import { CheckpointError } from '../../core/errors.ts';
import { nodeModule } from '../../core/node.ts';
import { Sequential } from '../../layers/sequential.ts';
import type { Module, StateDict } from '../../module/module.ts';
import { Config, Unsupported } from './config.ts';
import { inKerasOrder, inputFlow, type TakeWeight } from './flow.ts';
import { BUILDERS } from './layers.ts';
import { type KerasLayer, parseModelJson } from './model-json.ts';
import { WeightTaker } from './weight-taker.ts';
import { type OpenShard, readWeights } from './weights.ts';

/** Files in memory, such as those that were dropped on a page. */
export interface LayersModelFiles {
  /** The bytes of `model.json`. */
  readonly model: Uint8Array;
  /** The files with weights, under the paths that `model.json` has for them. */
  readonly shards: Readonly<Record<string, Uint8Array>>;
}

/** A model of TensorFlow.js. */
export interface LayersModel {
  /** In evaluation mode; it takes `[N, C, H, W]` where Keras takes `[N, H, W, C]`. */
  readonly network: Sequential;
  /** What the network takes, without the batch: `[C, H, W]`, or `[features]`. */
  readonly inputShape: Shape;
  /** Names of weights that no layer has taken. */
  readonly unused: readonly string[];
}

/**
 * Reads a layers-model of TensorFlow.js: a Sequential of convolutions, pools, norms, linear layers and
 * activations. Weights are brought into the order of this library, those of the linear layer behind a
 * Flatten too, so the network is trained, saved and exported as any other.
 *
 * @param model the path of `model.json` in Node, beside which the files with weights lie; or files in memory
 * @throws CheckpointError if a file is damaged, missing or lies outside of the folder, and for models that
 *   are not sequential; it names all layers and options at once that are not read here
 * @see tensorflow/tfjs, tfjs-core/src/io/types.ts; keras.io/api/layers
 */
export async function openLayersModel(model: string | LayersModelFiles): Promise<LayersModel> {
  const error = CheckpointError;
  const isPath = typeof model === 'string';
  const source = isPath
    ? await fileSource(model, { error })
    : bytesSource(model.model, { name: 'model.json', error });
  const { layers, groups } = parseModelJson(source);
  const open = isPath ? fromFolder(source, model) : fromMemory(source, model);
  return assemble(source, layers, await readWeights(source, groups, open));
}

/** Parts of a path that leads further into a folder, and to no other place. */
const INSIDE = /^(?!\.{1,2}(\/|$))[^\\/:\0]+(\/(?!\.{1,2}(\/|$))[^\\/:\0]+)*$/;

function expectInside(source: ByteSource, path: string): void {
  if (INSIDE.test(path)) return;
  throw source.error(
    `has its weights in ${quote(path)}, outside of the folder of model.json, where nothing is read; put ` +
      'the file beside it and its name into model.json',
  );
}

function fromFolder(source: ByteSource, model: string): OpenShard {
  return async (path) => {
    expectInside(source, path);
    const { dirname, join, sep } = nodeModule('node:path');
    const { realpath } = nodeModule('node:fs/promises');
    const folder = dirname(model);
    const file = join(folder, path);
    // A link may lead out of the folder although its name does not.
    const [real, inside] = await Promise.all([realpath(file), realpath(folder)]).catch(() => [
      file,
      folder,
    ]);
    if (real !== file && !real.startsWith(inside + sep)) expectInside(source, real);
    const shard = await fileSource(file, { error: CheckpointError });
    return shard.bytes(0, shard.size);
  };
}

function fromMemory(source: ByteSource, { shards }: LayersModelFiles): OpenShard {
  return async (path) => {
    if (Object.hasOwn(shards, path)) return shards[path];
    throw source.error(
      `has weights in ${quote(path)}, which was not given (there are ${quoteSome(Object.keys(shards))}); ` +
        'pass that file too',
    );
  };
}

function assemble(
  source: ByteSource,
  layers: readonly KerasLayer[],
  weights: StateDict,
): LayersModel {
  const problems = new Problems();
  const names = new Set<string>();
  const taker = new WeightTaker(source, weights);
  const modules: [name: string, module: Module][] = [];
  const { batch_input_shape: batchShape = layers[0].config.batch_shape } = layers[0].config;
  const input = inputFlow(batchShape);
  if (input === null) {
    problems.add('an input that is neither images of a known size nor features', layers[0].name);
  }
  let flow = input;
  for (const layer of layers) {
    const build = BUILDERS.get(layer.className);
    if (build === undefined) problems.add(quote(layer.className), layer.name);
    // Behind something that is not read, layers are only looked at by class.
    if (build === undefined || flow === null) continue;
    try {
      const take: TakeWeight = (part, shape) => taker.take(layer.name, part, shape);
      const built = build(new Config(layer), flow, take);
      for (const module of built.modules) modules.push([freeName(layer.name, names), module]);
      flow = built.flow;
    } catch (error) {
      if (error instanceof CheckpointError || !(error instanceof FirelightError)) {
        if (!(error instanceof Unsupported)) throw error;
        problems.add(error.message, layer.name);
        flow = null;
      } else {
        throw source.error(`layer ${quote(layer.name)}: ${error.message}`, { cause: error });
      }
    }
  }
  if (problems.isAny || flow === null || input === null) {
    throw source.error(
      `has what is not read here: ${problems.list()}; convert the model to ONNX (tf2onnx) and open that`,
    );
  }
  // Features that come out must have the order that they have in Keras.
  const last = flow.kind === 'images' ? [] : inKerasOrder(flow);
  for (const module of last) modules.push([freeName('channels_last', names), module]);
  const inputShape = input.kind === 'images' ? input.shape : [input.count];
  return { network: new Sequential(modules).eval(), inputShape, unused: taker.unused };
}

/** A name that a module can have, and none before it has. */
function freeName(name: string, taken: Set<string>): string {
  const base = name.replace(/[^\w-]/g, '_') || 'layer';
  // By their count, as a search would take long in a file of many like names.
  const free = taken.has(base) ? `${base}_${taken.size}` : base;
  taken.add(free);
  return free;
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
