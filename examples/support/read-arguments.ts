import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ValueError } from '@firelight/tensor';

/**
 * The flags and other arguments of the command line.
 *
 * @param help what prints the help
 * @throws ValueError with the first sentence of what is wrong
 */
export function readArguments<const Config extends ParseArgsConfig>(
  config: Config,
  help = '--help',
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // parseArgs explains itself in its first sentence; the rest is about its own options.
    throw new ValueError(`${(error as Error).message.split(/\.\s/)[0]}; see ${help}`);
  }
}
