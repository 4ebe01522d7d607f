// webhook requests -> alerts whose signature the verifier of Standard Webhooks accepts
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import type { DeviceAlert } from '../../src/model/alert.ts';

export interface Received {
  readonly atMs: number;
  readonly alert: DeviceAlert;
}

export interface Receiver {
  readonly secret: string;
  /** In order of arrival. */
  readonly received: readonly Received[];
  /** Of requests that the verifier refused. */
  readonly refused: readonly string[];
  stop(): void;
}

/** Listens on a Unix socket, which network namespaces do not separate. */
export async function startReceiver(socketPath: string): Promise<Receiver> {
  const secret = `whsec_${randomBytes(24).toString('base64')}`;
  const webhook = new Webhook(secret);
  const received: Received[] = [];
  const refused: string[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    try {
      const alert = webhook.verify(body, request.headers as Record<string, string>) as DeviceAlert;
      received.push({ atMs: Date.now(), alert });
      response.writeHead(204).end();
    } catch (error) {
      refused.push(`${error}: ${JSON.stringify(request.headers)} ${body.slice(0, 500)}`);
      response.writeHead(400).end();
    }
  });
  await new Promise<void>((settle) => server.listen(socketPath, settle));
  return { secret, received, refused, stop: () => server.close() };
}
