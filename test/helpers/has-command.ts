import { spawnSync } from 'node:child_process';

/** Whether a program starts, with these arguments, and ends well; use it with `test.skipIf`. */
export function hasCommand(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args.length > 0 ? args : ['--version']).status === 0;
}
