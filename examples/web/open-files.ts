import type { Checkpoint, StateDict } from '@firelight/nn';
import { identifyNetwork, openCheckpoint, openLayersModel } from '@firelight/nn/formats';
import { FirelightError, ValueError } from '@firelight/tensor';
import { formatShape } from '@firelight/tensor/extend';
import { bytesSource } from '@firelight/tensor/formats';
import { type Classifier, classifierOf } from '../support/classifier.ts';
import { formatName } from '../support/format-name.ts';
import { isArrayFile, joinArrays } from '../support/join-arrays.ts';

/** A file in memory. */
export interface HeldFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What files hold, as a page tells it. */
export interface OpenedFiles {
  readonly file: string;
  readonly format: string;
  /** Which network it is of, and whose names its tensors have. */
  readonly network: string;
  readonly origin: string;
  /** Decoded when they are asked for. */
  readonly tensors: StateDict;
  readonly notes: readonly string[];
  /** Null where nobody knows how the network takes pictures; `reason` then says why. */
  readonly classifier: Classifier | null;
  readonly reason: string;
}

/**
 * Opens a checkpoint of any format: one file, model.json of TensorFlow.js with its weights, or a file of
 * NumPy for each tensor.
 *
 * @throws FirelightError if that is not what the files are, or one of them is damaged or refused
 */
export async function openFiles(files: readonly HeldFile[]): Promise<OpenedFiles> {
  const model = files.find(({ name }) => name.endsWith('.json'));
  if (model !== undefined) return describeModel(model, files);
  const [first] = files;
  if (files.length > 1 && !files.every(({ name }) => isArrayFile(name))) {
    throw new ValueError(
      `${files.map(({ name }) => name).join(', ')}: are several files; open one checkpoint at a time, ` +
        'model.json with its weights, or the .npy files of one network',
    );
  }
  const opened = files.map(({ name, bytes }) => openCheckpoint(bytes, { name }));
  const [checkpoint, ...others] = await Promise.all(opened);
  const format = formatName(bytesSource(first.bytes, { name: first.name }));
  if (others.length === 0) return describe(checkpoint, format);
  return describe(joinArrays(`${files.length} files`, [checkpoint, ...others]), format);
}

function describe(checkpoint: Checkpoint, format: string): OpenedFiles {
  const { file, tensors, metadata } = checkpoint;
  const found = identifyNetwork(checkpoint);
  const isOfRun = metadata.config !== undefined;
  const known = { network: found?.label ?? 'none that is known here', origin: found?.origin.name };
  const told = isOfRun ? { network: 'SqueezeNet of npm run train', origin: 'firelight' } : known;
  const about = { file, format, network: told.network, origin: told.origin ?? 'unknown', tensors };
  try {
    const classifier = classifierOf(checkpoint);
    return { ...about, notes: classifier.notes, classifier, reason: '' };
  } catch (error) {
    if (!(error instanceof FirelightError)) throw error;
    return { ...about, notes: checkpoint.notes ?? [], classifier: null, reason: error.message };
  }
}

async function describeModel(model: HeldFile, files: readonly HeldFile[]): Promise<OpenedFiles> {
  const shards = Object.fromEntries(files.map(({ name, bytes }) => [name, bytes]));
  const { network, inputShape, unused } = await openLayersModel({ model: model.bytes, shards });
  return {
    file: model.name,
    format: 'layers-model of TensorFlow.js',
    network: `layers that take ${formatShape(inputShape)}`,
    origin: 'Keras',
    tensors: network.stateDict(),
    notes: unused.length === 0 ? [] : [`no layer has taken ${unused.join(', ')}`],
    classifier: null,
    reason: `${model.name}: does not say how pictures become inputs; import it into a program of yours`,
  };
}
