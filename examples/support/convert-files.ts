import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { type Checkpoint, encodeCheckpoint, loadParamIntoNet, type Module } from '@firelight/nn';
import { identifyNetwork, loadInto, openCheckpoint, openLayersModel } from '@firelight/nn/formats';
import { Generator, type Shape, type Tensor, ValueError } from '@firelight/tensor';
import { printablePath } from '@firelight/tensor/extend';
import { fileSource } from '@firelight/tensor/formats';
import { createNetwork } from './create-network.ts';
import { formatName } from './format-name.ts';
import { configOf } from './open-network.ts';

/** A network, and what it takes where that is known. */
export interface KnownNetwork {
  readonly network: Module;
  readonly label: string;
  readonly inputShape: Shape | null;
}

/** What a file holds that is converted. */
export interface Opened {
  /** What its format is called. */
  readonly format: string;
  readonly checkpoint: Checkpoint;
  /** The network that its model.json describes; null for files with weights alone. */
  readonly described: KnownNetwork | null;
  readonly notes: readonly string[];
}

/** Opens a checkpoint of any format, or a model.json of TensorFlow.js. */
export async function openAny(path: string): Promise<Opened> {
  if (extname(path).toLowerCase() === '.json') return openDescribed(path);
  const checkpoint = await openCheckpoint(path);
  const format = formatName(await fileSource(path));
  const { optimizer, notes = [] } = checkpoint;
  const left = optimizer === undefined ? [] : ['what its optimizer kept is not converted'];
  return { format, checkpoint, described: null, notes: [...notes, ...left] };
}

async function openDescribed(path: string): Promise<Opened> {
  const { network, inputShape, unused } = await openLayersModel(path);
  return {
    format: 'tensorflow.js',
    checkpoint: { file: path, tensors: network.stateDict(), metadata: {}, isForeign: true },
    described: { network, label: network.constructor.name, inputShape: [1, ...inputShape] },
    notes: unused.length === 0 ? [] : [`no layer has taken ${unused.join(', ')}, left out`],
  };
}

/**
 * The network that weights are of, with them: as model.json or the configuration of its run describes it,
 * else as the names tell.
 *
 * @throws ValueError if nothing tells it
 */
export function networkOf({ checkpoint, described }: Opened): KnownNetwork {
  if (described !== null) return described;
  if (checkpoint.metadata.config !== undefined) {
    const { options } = configOf(checkpoint);
    const network = createNetwork(options, new Generator(0));
    loadParamIntoNet(network, checkpoint);
    const size = options['image-size'];
    return { network, label: network.constructor.name, inputShape: [1, 3, size, size] };
  }
  const found = identifyNetwork(checkpoint);
  if (found === null) {
    throw new ValueError(
      `${printablePath(checkpoint.file)}: neither a configuration nor its names tell which network it is of; ` +
        'convert it without --names, to another format than ONNX',
    );
  }
  const network = found.create();
  loadInto(network, checkpoint);
  const size = found.origin.preprocessing?.inputSize;
  const inputShape = size === undefined ? null : [1, 3, size, size];
  return { network, label: found.label, inputShape };
}

/** Whether there is something at a path. */
export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The bytes of tensors in a format that was registered; `metadata` only where the format keeps it. */
export function encodeTensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
  format: string,
): Promise<Uint8Array> {
  return encodeCheckpoint({ tensors, metadata }, { format });
}
