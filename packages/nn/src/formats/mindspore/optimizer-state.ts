import type { Tensor } from '@firelight/tensor';
import type { OptimizerContent, OptimizerSetting, Snapshot } from '../../checkpoint/snapshot.ts';
import { keptFor, TRAINING_VALUES } from '../training-names.ts';

/**
 * The state of the optimizer among the tensors of a checkpoint, or null if it has none.
 *
 * @see mindspore/nn/optim/momentum.py, whose velocities are `moments.<name>`, and adam.py
 */
export function optimizerIn({ tensors }: Snapshot): OptimizerContent | null {
  const state: PropertyDescriptorMap = {};
  const parameters = new Set<string>();
  for (const name of Object.keys(tensors)) {
    const kept = keptFor(name);
    if (kept === null) continue;
    state[name] = { enumerable: true, get: () => tensors[name] };
    parameters.add(kept.parameter);
  }
  const present = TRAINING_VALUES.filter((name) => Object.hasOwn(tensors, name));
  if (parameters.size === 0 && present.length === 0) return null;
  const settings: PropertyDescriptorMap = {};
  for (const name of present) {
    settings[name] = { enumerable: true, get: () => settingOf(tensors[name]) };
  }
  return {
    // Getters, so that nothing is decoded which nobody asks for.
    state: Object.create(null, state),
    groups: [{ parameters: [...parameters], settings: Object.create(null, settings) }],
  };
}

function settingOf({ data }: Tensor): OptimizerSetting {
  return data.length === 1 ? data[0] : Array.from(data);
}
