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

/** Bundles a TypeScript file for browsers, as a user's bundler would. */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['development', 'module', 'browser'] },
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: entry, output: { format: 'es' } },
    },
  });
  const [{ output }] = (Array.isArray(result) ? result : [result]) as Rollup.RollupOutput[];
  expectSingle(output.length);
  return output[0].code;
}

function expectSingle(chunks: number): void {
  if (chunks !== 1) throw new Error(`expected one chunk, got ${chunks}`);
}

/**
 * Opens a page with a module script in headless Chromium and waits for what it posts to `/report`.
 *
 * @param isolated send the headers that allow shared memory between threads (COOP and COEP)
 */
export async function reportOf(
  code: string,
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
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? code : '<!doctype html><script type="module" src="/page.js"></script>');
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
