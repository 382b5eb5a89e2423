import type { DType, Shape } from '@firelight/tensor';
import { BatchNorm2d } from '../../layers/batch-norm2d.ts';
import { GroupNorm, InstanceNorm2d } from '../../layers/group-norm.ts';
import { LayerNorm, RMSNorm } from '../../layers/layer-norm.ts';
import type { Module } from '../../module/module.ts';

const NORMS = [BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm, RMSNorm];

/** A tensor of a network, and what names of other programs may go by. */
export interface OwnTensor {
  /** Its name here: `features.3.squeeze.weight`. */
  readonly name: string;
  /** The name of its layer, `features.3.squeeze`, and its own in it, `weight`. */
  readonly layer: string;
  readonly part: string;
  /** Whether the layer normalizes. */
  readonly isNorm: boolean;
  /** The place of its layer among those with weights, without norms, from 0. */
  readonly place: number;
  /** The place of its block (`features.3`, the first two names of the layer) among the blocks, from 0. */
  readonly block: number;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Parameters and buffers of a network in the order of its layers, each under all of its names. */
export function ownTensors(network: Module): OwnTensor[] {
  const norms = new Set(
    network
      .namedModules()
      .filter(([, module]) => NORMS.some((Norm) => module instanceof Norm))
      .map(([name]) => name),
  );
  const layers = new Map<string, number>();
  const blocks = new Map<string, number>();
  const placeIn = (places: Map<string, number>, key: string): number => {
    if (!places.has(key)) places.set(key, places.size);
    return places.get(key) as number;
  };
  return Object.entries(network.stateDict()).map(([name, { shape, dtype }]) => {
    const dot = name.lastIndexOf('.');
    const layer = name.slice(0, Math.max(0, dot));
    const isNorm = norms.has(layer);
    return {
      name,
      layer,
      part: name.slice(dot + 1),
      isNorm,
      place: isNorm ? 0 : placeIn(layers, layer),
      block: placeIn(blocks, layer.split('.').slice(0, 2).join('.')),
      shape,
      dtype,
    };
  });
}
