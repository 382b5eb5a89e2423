import { CIFAR10_CLASSES } from '@firelight/data';
import { CheckpointError } from '@firelight/nn';
import { quote } from '@firelight/tensor/extend';
import { checkedOptions, type TrainOptions } from './train-options.ts';

/** What `config.json`, and each checkpoint of `train-cifar.ts`, says of its run. */
export interface RunConfig {
  readonly options: TrainOptions;
  readonly classNames: readonly string[];
}

/**
 * Reads the JSON text of a configuration.
 *
 * @param file what the errors call it
 * @throws CheckpointError with what is wrong, if it is none that this version wrote
 */
export function parseRunConfig(text: string, file: string): RunConfig {
  const damaged = (what: string): CheckpointError =>
    new CheckpointError(`${file} is damaged: ${what}; take it from a copy, or start a new run`);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw damaged('it is no JSON');
  }
  if (!isRecord(config)) throw damaged('it is no JSON object');
  const { options, classNames, ...others } = config;
  if (!isRecord(options)) throw damaged("it has no 'options'");
  const isNames =
    Array.isArray(classNames) &&
    classNames.length === CIFAR10_CLASSES.length &&
    classNames.every((name) => typeof name === 'string');
  if (!isNames) throw damaged(`'classNames' must be ${CIFAR10_CLASSES.length} texts`);
  const checked = checkedOptions(options);
  if ('problem' in checked) throw damaged(checked.problem);
  const [unknown] = [...Object.keys(others), ...checked.unknown];
  if (unknown !== undefined) {
    throw new CheckpointError(
      `${file} has ${quote(unknown)}, which this Firelight does not know; use the version that ` +
        'began the run',
    );
  }
  return { options: checked.options, classNames };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
