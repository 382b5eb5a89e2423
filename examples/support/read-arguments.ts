import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ValueError } from '@firelight/tensor';

/**
 * The flags and other arguments of the command line.
 *
 * @throws ValueError with the first sentence of what is wrong
 */
export function readArguments<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new ValueError(`${(error as Error).message.split(/\.\s/)[0]}; see --help`);
  }
}
