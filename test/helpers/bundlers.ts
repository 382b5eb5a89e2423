import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as commonjsPlugin from '@rollup/plugin-commonjs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { build as esbuild } from 'esbuild';
import { rollup } from 'rollup';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { type Bundle, reportOf } from './browser.ts';

/** A user's page, and the entries of its workers, which only some bundlers find by themselves. */
const PAGE = 'page.js';
const WORKERS = ['loader-worker.js', 'gpu-client.js', 'gpu-worker.js'];

/** What the page of `test/fixtures/consumer/page` tells. */
export interface PageReport {
  readonly losses: readonly number[];
  readonly backend: string;
  /** Why there is no WebGPU, and a convolution by gpu.js without a GPU. */
  readonly gpu: { readonly problem: string; readonly y: number };
  readonly opened: readonly number[];
  /** Why a page can save no checkpoint, and read no picture from a path. */
  readonly refusals: readonly string[];
  /** Paths of the scripts that were loaded before it ran. */
  readonly loaded: readonly string[];
}

export interface Bundler {
  /** Bundles the page in `folder` for browsers into `out`, with no more than a user must set. */
  build(folder: string, out: string): Promise<unknown>;
  /** Type of the script that it makes. */
  readonly type: 'module' | 'text/javascript';
}

function webpackIn(mode: 'development' | 'production'): Bundler {
  const build = (context: string, path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const output = { path, filename: PAGE };
      const options = { mode, context, entry: `./${PAGE}`, output };
      webpack({ ...options, performance: { hints: false } }, (error, stats) => {
        const { errors = [], warnings = [] } =
          stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
        const problems = [...errors, ...warnings].map(({ message }) => message);
        if (error === null && problems.length === 0) resolve();
        else reject(error ?? new Error(problems.join('\n')));
      });
    });
  return { type: 'text/javascript', build };
}

export const BUNDLERS = {
  'webpack-production': webpackIn('production'),
  'webpack-development': webpackIn('development'),
  esbuild: {
    type: 'module',
    build: (absWorkingDir, outdir) =>
      esbuild({
        absWorkingDir,
        entryPoints: [PAGE, ...WORKERS],
        bundle: true,
        format: 'esm',
        minify: true,
        outdir,
        splitting: true,
      }),
  },
  rollup: {
    type: 'module',
    async build(folder, dir) {
      const input = [PAGE, ...WORKERS].map((file) => join(folder, file));
      // Its types say that it is a CommonJS module, which it is not.
      const commonjs = commonjsPlugin.default as unknown as typeof commonjsPlugin.default.default;
      const bundle = await rollup({ input, plugins: [nodeResolve({ browser: true }), commonjs()] });
      await bundle.write({ dir });
    },
  },
  vite: {
    type: 'module',
    build: (root, outDir) =>
      vite({
        root,
        base: './',
        configFile: false,
        logLevel: 'error',
        worker: { format: 'es' },
        build: {
          outDir,
          rollupOptions: { input: join(root, PAGE), output: { entryFileNames: PAGE } },
        },
      }),
  },
} as const satisfies Record<string, Bundler>;

/** A page that a bundler made. */
interface BuiltPage {
  readonly type: Bundler['type'];
  readonly files: Bundle;
}

/** Bundles the page in `folder` with each bundler, into a folder of `out`. */
export async function builtPages<Name extends string>(
  bundlers: Readonly<Record<Name, Bundler>>,
  folder: string,
  out: string,
): Promise<Record<Name, BuiltPage>> {
  const pages: Record<string, BuiltPage> = {};
  for (const [name, { build, type }] of Object.entries<Bundler>(bundlers)) {
    await build(folder, join(out, name));
    pages[name] = { type, files: await scriptsIn(join(out, name)) };
  }
  return pages as Record<Name, BuiltPage>; // One for each of the names.
}

async function scriptsIn(folder: string): Promise<Bundle> {
  const names = await readdir(folder, { recursive: true });
  const scripts = names.filter((name) => name.endsWith('.js'));
  const entries = scripts.map(
    async (name) => [name, await readFile(join(folder, name), 'utf8')] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Runs pages one after the other, each in a frame of its own, and posts what each tells. */
const framesOf = (pages: Readonly<Record<string, BuiltPage>>): string => `
  const reports = {};
  for (const [name, type] of ${JSON.stringify(Object.entries(pages).map(([name, { type }]) => [name, type]))}) {
    const frame = document.createElement('iframe');
    const told = new Promise((resolve) => {
      addEventListener('message', ({ data }) => resolve(data), { once: true });
    });
    const failure = "parent.postMessage({ error: 'the script did not load' })";
    frame.srcdoc = \`<script type="\${type}" src="/\${name}/${PAGE}" onerror="\${failure}"></script>\`;
    document.body.append(frame);
    reports[name] = await told;
    frame.remove();
  }
  await fetch('/report', { method: 'POST', body: JSON.stringify(reports) });`;

/**
 * Runs pages in one window of headless Chromium, one after the other.
 *
 * @returns what each told, by its name
 */
export async function reportsOf<Name extends string>(
  pages: Readonly<Record<Name, BuiltPage>>,
  options: Parameters<typeof reportOf>[1],
): Promise<Record<Name, PageReport>> {
  const files = new Map([['/page.js', framesOf(pages)]]);
  for (const [name, page] of Object.entries<BuiltPage>(pages)) {
    for (const [path, code] of page.files) files.set(`/${name}/${path}`, code);
  }
  return (await reportOf(files, options)) as Record<Name, PageReport>;
}
