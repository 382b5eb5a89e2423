import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Rollup } from 'vite';

/** Debian's Chromium, or the one that CHROME_BIN names; null if there is none. */
export function chromiumPath(): string | null {
  const candidates = [process.env.CHROME_BIN, '/usr/bin/chromium', '/usr/bin/google-chrome'];
  return candidates.find((path) => path !== undefined && existsSync(path)) ?? null;
}

/** Code of a page and of what it loads, by the path under which it asks for it. */
export type Bundle = ReadonlyMap<string, string>;

const bundles = new Map<string, Promise<Bundle>>();

/** Bundles a TypeScript file for browsers, as a user's bundler would; the same one only once. */
export function bundle(entry: string): Promise<Bundle> {
  const made = bundles.get(entry) ?? makeBundle(entry);
  bundles.set(entry, made);
  return made;
}

async function makeBundle(entry: string): Promise<Bundle> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@firelight/source', 'module', 'browser'] },
    worker: { format: 'es' },
    build: {
      write: false,
      target: 'es2022',
      // All in one folder, that of the page.
      assetsDir: '',
      rollupOptions: { input: entry, output: { format: 'es', entryFileNames: 'page.js' } },
    },
  });
  const [{ output }] = (Array.isArray(result) ? result : [result]) as Rollup.RollupOutput[];
  return new Map(
    output.map((file) => {
      const code = file.type === 'chunk' ? file.code : String(file.source);
      return [`/${file.fileName}`, code];
    }),
  );
}

/**
 * Opens a page with a module script in headless Chromium and waits for what it posts to `/report`.
 *
 * @param isolated send the headers that allow shared memory between threads (COOP and COEP)
 */
export async function reportOf(
  files: Bundle,
  { chromium, isolated }: { chromium: string; isolated: boolean },
): Promise<unknown> {
  const profile = await mkdtemp(join(tmpdir(), 'firelight-chromium-'));
  let received: (report: unknown) => void = () => {};
  const report = new Promise<unknown>((resolve) => {
    received = resolve;
  });
  const server = createServer(async (request, response) => {
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (request.url === '/report') {
      let body = '';
      for await (const part of request) body += part;
      response.end();
      received(JSON.parse(body));
      return;
    }
    const code = files.get(request.url ?? '');
    response.setHeader('Content-Type', code === undefined ? 'text/html' : 'text/javascript');
    response.end(code ?? '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`];
  const browser = spawn(chromium, [...flags, `http://127.0.0.1:${port}/`], { stdio: 'ignore' });
  try {
    return await report;
  } finally {
    const closed = new Promise((resolve) => browser.once('close', resolve));
    browser.kill();
    await closed;
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
