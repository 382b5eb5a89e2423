import type { Shape } from '@firelight/tensor';
import { quote, quoteSome } from '@firelight/tensor/extend';
import { type ByteSource, bytesSource, fileSource } from '@firelight/tensor/formats';
import { CheckpointError } from '../../core/errors.ts';
import { nodeModule } from '../../core/node.ts';
import type { Module } from '../../module/module.ts';
import { assemble } from './assemble.ts';
import { parseModelJson } from './model-json.ts';
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
  readonly network: Module;
  /** What the network takes, without the batch: `[C, H, W]`, or `[features]`. */
  readonly inputShape: Shape;
  /** Names of weights that no layer has taken. */
  readonly unused: readonly string[];
}

/**
 * Reads a layers-model of TensorFlow.js: convolutions, pools, norms, linear layers and activations, one
 * after another or with outputs that are added, multiplied or concatenated. Weights are brought into the
 * order of this library, those of the linear layer behind a Flatten too, so the network is trained, saved
 * and exported as any other.
 *
 * @param model the path of `model.json` in Node, beside which the files with weights lie; or files in memory
 * @throws CheckpointError if a file is damaged, missing or lies outside of the folder, and for models with
 *   several inputs or outputs; it names all layers and options at once that are not read here
 * @see tensorflow/tfjs, tfjs-core/src/io/types.ts; keras.io/api/layers
 */
export async function openLayersModel(model: string | LayersModelFiles): Promise<LayersModel> {
  const error = CheckpointError;
  const isPath = typeof model === 'string';
  const source = isPath
    ? await fileSource(model, { error })
    : bytesSource(model.model, { name: 'model.json', error });
  const { graph, groups } = parseModelJson(source);
  const open = isPath ? fromFolder(source, model) : fromMemory(source, model);
  return assemble(source, graph, await readWeights(source, groups, open));
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
