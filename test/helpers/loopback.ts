import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DownloadProgress } from '@firelight/data';

const servers: Server[] = [];

/** A real server on loopback; returns its address. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cifar.tar.gz`;
}

/** Ends all servers and their connections. */
export function closeServers(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
}

export const send =
  (bytes: Uint8Array): RequestListener =>
  (_, response) => {
    response.setHeader('content-length', bytes.length);
    response.end(bytes);
  };

/** A server that sends ranges when asked, and the ranges that it was asked for. */
export function ranges(
  bytes: Uint8Array,
  send: (response: ServerResponse, rest: Uint8Array) => void,
) {
  const asked: (string | undefined)[] = [];
  const listener: RequestListener = (request, response) => {
    const { range } = request.headers;
    asked.push(range);
    const start = range === undefined ? 0 : Number(/bytes=(\d+)-/.exec(range)?.[1]);
    const rest = bytes.subarray(start);
    if (rest.length === 0) {
      response.writeHead(416).end();
      return;
    }
    response.statusCode = range === undefined ? 200 : 206;
    response.setHeader('content-length', rest.length);
    if (range !== undefined) {
      response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    }
    send(response, rest);
  };
  return { asked, listener };
}

/**
 * The same, breaking the connection after so many bytes, unless that is all: when `onProgress` says
 * that they have arrived, since what is under way may be lost with a connection.
 */
export function breaking(bytes: Uint8Array, count: number) {
  let end = -1;
  let breakOff = (): void => {};
  const { asked, listener } = ranges(bytes, (response, rest) => {
    if (rest.length <= count) {
      response.end(rest);
      return;
    }
    end = bytes.length - rest.length + count;
    breakOff = () => response.destroy();
    response.write(rest.subarray(0, count));
  });
  const onProgress = ({ receivedBytes }: DownloadProgress): void => {
    if (receivedBytes === end) breakOff();
  };
  return { asked, listener, onProgress };
}
