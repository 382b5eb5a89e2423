import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface ProcessResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a TypeScript file of the repository from source in a process of its own. */
export function runSource(
  file: string,
  args: readonly string[] = [],
  { cwd = ROOT, env = {} }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProcessResult> {
  const node = ['--conditions=@firelight/source', '--import', 'tsx', file, ...args];
  const options = { cwd, env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, node, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

/** Runs one of the examples as `npm run` does. */
export function runExample(name: string, args: readonly string[] = []): Promise<ProcessResult> {
  return runSource(`examples/${name}`, args);
}
