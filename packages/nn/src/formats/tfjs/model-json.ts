import type { ByteSource } from '@firelight/tensor/formats';
import { isRecord } from '../../core/schema.ts';
import { AS_ONNX, type KerasGraph, readGraph } from './topology.ts';

/** Weights that lie one after another in some files, which are one string of bytes. */
export interface WeightGroup {
  readonly paths: readonly string[];
  /** Descriptions of weights, to be checked where they are used. */
  readonly weights: readonly unknown[];
}

/** What `model.json` holds. */
export interface ModelJson {
  readonly graph: KerasGraph;
  readonly groups: readonly WeightGroup[];
}

/**
 * The description of a layers-model, as tensorflowjs_converter and `model.save` write it: a topology, and
 * a manifest of the files with weights.
 *
 * @throws the source's error for what is none
 * @see tensorflow/tfjs, tfjs-core/src/io/types.ts, ModelJSON
 */
export function parseModelJson(source: ByteSource): ModelJson {
  const json = parseJson(source);
  if (json.format === 'graph-model') {
    throw source.error(
      `is a graph-model, of which only TensorFlow knows the operations; ${AS_ONNX}`,
    );
  }
  const { modelTopology, weightsManifest } = json;
  if (!isRecord(modelTopology) || !Array.isArray(weightsManifest)) {
    throw source.error(
      'has no modelTopology and weightsManifest, so it is no layers-model; pass the model.json that ' +
        "model.save('file://…') or tensorflowjs_converter wrote",
    );
  }
  // From Keras the topology stands one level deeper, and in old files the config is the list itself.
  const model = isRecord(modelTopology.model_config) ? modelTopology.model_config : modelTopology;
  return {
    graph: readGraph(source, model.class_name, model.config),
    groups: weightsManifest.map((group: unknown, i) => checkGroup(source, group, i)),
  };
}

function parseJson(source: ByteSource): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    json = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(source.bytes(0, source.size)),
    );
  } catch {
    json = null;
  }
  if (isRecord(json)) return json;
  throw source.error('is no JSON object; pass the model.json of a layers-model');
}

function checkGroup(source: ByteSource, group: unknown, i: number): WeightGroup {
  const { paths, weights } = isRecord(group) ? group : {};
  const areRight =
    Array.isArray(paths) &&
    paths.every((path) => typeof path === 'string') &&
    Array.isArray(weights);
  // As model.save writes them: './model.weights.bin'.
  if (areRight) return { paths: paths.map((path) => path.replace(/^\.\//, '')), weights };
  throw source.error(
    `group ${i} of the weightsManifest has no paths and weights; save the model again`,
  );
}
