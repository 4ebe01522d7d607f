// two small HTTP servers on the loopback: one takes webhooks as a SOC's tool does, one serves a table of networks
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface LoopbackServer {
  readonly port: number;
  readonly stop: () => void;
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/**
 * Hands on the bodies whose signature is right, and answers 401 to all others. `secret` is asked at each webhook, because the
 * service makes it after this server is up.
 */
export function receiveWebhooks(
  secret: () => string | undefined,
  onVerified: (body: string) => void,
): Promise<LoopbackServer> {
  return listen((request, response) => {
    readBody(request).then(
      (body) => {
        const verified = isSigned(secret(), body, request);
        response.writeHead(verified ? 204 : 401).end();
        if (verified) onVerified(body);
      },
      () => response.writeHead(413).end(),
    );
  });
}

/** In IPtoASN's form: first, last, AS number, country, name. Documentation networks (RFC 5737, RFC 5398). */
const NETWORKS = [
  ['198.51.100.0', '198.51.100.255', '64501', 'US', 'EXAMPLE-CDN'],
  ['203.0.113.0', '203.0.113.255', '64500', 'NL', 'EXAMPLE-VPS'],
];
export const CATEGORIES = { '203.0.113.0/24': 'vps', '198.51.100.0/24': 'cdn' };

export function serveNetworks(): Promise<LoopbackServer> {
  const table = NETWORKS.map((columns) => `${columns.join('\t')}\n`).join('');
  return listen((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/tab-separated-values' }).end(table);
  });
}

function isSigned(secret: string | undefined, body: string, request: IncomingMessage): boolean {
  if (secret === undefined) return false;
  try {
    new Webhook(secret).verify(body, request.headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(handle: RequestListener): Promise<LoopbackServer> {
  const server: Server = createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
