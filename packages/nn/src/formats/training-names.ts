/** What optimizers keep for each parameter, before its name; MindSpore has the first three, as we do. */
const KEPT = /^(moments|moment1|moment2|velocity|mean_square|mean_gradient|slow|steps)\.(.+)$/s;

/** What MindSpore keeps of a training beside that: of its optimizer, and of how far it is. */
export const TRAINING_VALUES: readonly string[] = [
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

/** What is kept and for which parameter, by a name such as `moments.fc.weight`; null for another name. */
export function keptFor(
  name: string,
): { readonly kind: string; readonly parameter: string } | null {
  const kept = KEPT.exec(name);
  return kept === null ? null : { kind: kept[1], parameter: kept[2] };
}

/** Whether a name is of what a training keeps beside the parameters. */
export function isOfTraining(name: string): boolean {
  return TRAINING_VALUES.includes(name) || keptFor(name) !== null;
}
