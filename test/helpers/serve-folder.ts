import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

/** Serves a folder as a plain static host does, below `path`, such as `/some/folder/`. */
export async function serveFolder(
  folder: string,
  path: string,
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const inside = pathname.startsWith(path) ? pathname.slice(path.length) || 'index.html' : null;
    const content = inside === null ? null : await readFile(join(folder, inside)).catch(() => null);
    const type = TYPES[extname(inside ?? '')] ?? 'application/octet-stream';
    response.writeHead(content === null ? 404 : 200, { 'Content-Type': type }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}${path}`, close };
}
