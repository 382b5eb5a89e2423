import { ValueError } from '@firelight/tensor';
import { expectCompany, expectNoContradiction, type Flags, helpLines } from './flags.ts';
import { parseFlags } from './parse-flags.ts';
import { differenceOf, TRAIN_FLAGS, type TrainOptions } from './train-options.ts';

const flags: Flags = TRAIN_FLAGS;
const names = Object.keys(TRAIN_FLAGS) as (keyof TrainOptions)[];

/** The text of `--help`. */
export function helpText(): string {
  const changeable = names.filter((name) => flags[name].changeable && name !== 'resume');
  return [
    'Trains SqueezeNet on CIFAR-10 and tests it.',
    '',
    'Usage: npm run train -- [flags]',
    '',
    ...helpLines(TRAIN_FLAGS),
    '',
    'Images are looked for in --data, $FIRELIGHT_CIFAR10, ./data and ../shared/cifar-10; then',
    'CIFAR-10 is downloaded; if that fails too, built-in made-up images are used.',
    '',
    'A training outlives its terminal: when standard output is closed or full, or the terminal hangs',
    'up, it goes on without printing, and its folder holds all that it would have printed. Ctrl-C, or',
    'kill and its process number, makes it save and end; --resume names the process that still runs.',
    'With --resume, only these flags may differ from those of the run:',
    `  ${changeable.join(', ')}.`,
  ].join('\n');
}

/** The flags that are given, each with its value. */
function givenIn(args: readonly string[]): Partial<TrainOptions> {
  return parseFlags(TRAIN_FLAGS, args, 'npm run train -- --help');
}

/**
 * Reads the command line.
 *
 * @throws ValueError with one sentence for an unknown flag, a value that does not fit, or flags that
 *   do not go together
 */
export function parseTrainOptions(args: readonly string[]): TrainOptions {
  const given = givenIn(args);
  const { recipe = TRAIN_FLAGS.recipe.default } = given;
  const defaults = names.map((name) => {
    const { recipes = {}, default: preset } = flags[name];
    return [name, Object.hasOwn(recipes, recipe) ? recipes[recipe] : preset];
  });
  const options = { ...(Object.fromEntries(defaults) as TrainOptions), ...given };
  expectNoContradiction(TRAIN_FLAGS, options);
  // What a flag goes with may be among those that the run was begun with: see resumedOptions.
  if (!options.resume) expectCompany(TRAIN_FLAGS, options);
  return options;
}

/**
 * The options of a run that goes on: its own, with those flags of the command line that may differ.
 *
 * @throws ValueError for a flag that would change what is trained, or does not go with the others
 */
export function resumedOptions(own: TrainOptions, args: readonly string[]): TrainOptions {
  const options = { ...own, ...givenIn(args), resume: own.resume };
  const difference = differenceOf(options, own);
  if (difference !== null) {
    const [asked, begun] = difference;
    throw new ValueError(
      `${asked} cannot be set by --resume: the run was begun with ${begun}; leave it out, or start ` +
        'a new run without --resume',
    );
  }
  expectCompany(TRAIN_FLAGS, options);
  return options;
}
