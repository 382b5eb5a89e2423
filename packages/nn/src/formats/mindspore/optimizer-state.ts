import type { Tensor } from '@firelight/tensor';
import type { OptimizerContent, OptimizerSetting, Snapshot } from '../../checkpoint/snapshot.ts';

/** Beginnings of the names of what MindSpore's optimizers keep for each parameter; ours have the same. */
const KEPT = /^(moments|moment1|moment2)\.(.+)$/s;

/** What MindSpore keeps of a training beside that: of its optimizer, and of how far it is. */
const SETTINGS = [
  'learning_rate',
  'momentum',
  'weight_decay',
  'beta1_power',
  'beta2_power',
  'global_step',
  'step_num',
  'epoch_num',
  'scale_sense',
  'current_iterator_step',
  'last_overflow_iterator_step',
];

/**
 * The state of the optimizer among the tensors of a checkpoint, or null if it has none.
 *
 * @see mindspore/nn/optim/momentum.py, whose velocities are `moments.<name>`, and adam.py
 */
export function optimizerIn({ tensors }: Snapshot): OptimizerContent | null {
  const state: PropertyDescriptorMap = {};
  const parameters = new Set<string>();
  for (const name of Object.keys(tensors)) {
    const kept = KEPT.exec(name);
    if (kept === null) continue;
    state[name] = { enumerable: true, get: () => tensors[name] };
    parameters.add(kept[2]);
  }
  const present = SETTINGS.filter((name) => Object.hasOwn(tensors, name));
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
