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

/** Weights that lie one after another in some files, which are one string of bytes. */
export interface WeightGroup {
  readonly paths: readonly string[];
  /** Descriptions of weights, to be checked where they are used. */
  readonly weights: readonly unknown[];
}

/** What `model.json` holds. */
export interface ModelJson {
  readonly layers: readonly KerasLayer[];
  readonly groups: readonly WeightGroup[];
}

const AS_ONNX = 'convert the model to ONNX (tf2onnx) and open that';

/**
 * The description of a layers-model, as tensorflowjs_converter and `model.save` write it: a topology, and
 * a manifest of the files with weights.
 *
 * @throws the source's error for what is none, and for models that are not sequential
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
  const { class_name: className, config } = model;
  if (className !== 'Sequential') {
    const what = typeof className === 'string' ? quote(className) : 'of no class';
    throw source.error(`is ${what}, and only Sequential models are read here; ${AS_ONNX}`);
  }
  const layers: unknown = isRecord(config) ? config.layers : config;
  if (!Array.isArray(layers) || layers.length === 0) {
    throw source.error('has a Sequential without layers; save the model again');
  }
  return {
    layers: layers.map((layer: unknown, i) => checkLayer(source, layer, i)),
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

function checkLayer(source: ByteSource, layer: unknown, i: number): KerasLayer {
  if (isRecord(layer) && typeof layer.class_name === 'string' && isRecord(layer.config)) {
    const { class_name: className, config } = layer;
    return {
      className,
      name: typeof config.name === 'string' ? config.name : `layer_${i}`,
      config,
    };
  }
  throw source.error(`layer ${i} has no class_name and config; save the model again`);
}

function checkGroup(source: ByteSource, group: unknown, i: number): WeightGroup {
  const { paths, weights } = isRecord(group) ? group : {};
  const areRight =
    Array.isArray(paths) &&
    paths.every((path) => typeof path === 'string') &&
    Array.isArray(weights);
  if (areRight) return { paths, weights };
  throw source.error(
    `group ${i} of the weightsManifest has no paths and weights; save the model again`,
  );
}
