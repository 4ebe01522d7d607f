// one delivery -> an HTTP request that is signed, bounded and goes nowhere it may not
import { lookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { PosternError } from '../model/errors.ts';
import { checkEndpointUrl, guardedAddresses } from './guard.ts';

export interface Delivery {
  readonly id: string;
  readonly url: string;
  /** "whsec_" and base64, as Standard Webhooks has it. */
  readonly secret: string;
  readonly body: string;
  /** Besides those of Standard Webhooks. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SendOptions {
  readonly timeoutMs: number;
  readonly allowedHosts: readonly string[];
  readonly nowMs: number;
}

const MAX_ANSWER_BYTES = 65_536;

export interface Answer {
  readonly status: number;
  /** RFC 9110 section 10.2.3: when the receiver wants to be asked again; missing where it does not say. */
  readonly retryAfterMs?: number;
}

/** Resolves to the answer, whatever it is; redirects are not followed. Throws PosternError 'forbidden-address', 'webhook-timeout' or 'webhook-unreachable'. */
export async function send(delivery: Delivery, options: SendOptions): Promise<Answer> {
  const url = checkEndpointUrl(delivery.url, options.allowedHosts);
  const at = new Date(options.nowMs);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(delivery.body)),
    'user-agent': 'Postern',
    // https://www.standardwebhooks.com: id, timestamp in seconds, signature over "id.timestamp.body".
    'webhook-id': delivery.id,
    'webhook-timestamp': String(Math.floor(options.nowMs / 1000)),
    'webhook-signature': new Webhook(delivery.secret).sign(delivery.id, at, delivery.body),
    ...delivery.headers,
  };
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const answer = await post(url, headers, delivery.body, guardedLookup(options.allowedHosts), signal);
    const retryAfterMs = readRetryAfter(answer.headers['retry-after'], options.nowMs);
    return { status: answer.statusCode ?? 0, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  } catch (cause) {
    if (cause instanceof PosternError) throw cause;
    if (signal.aborted)
      throw new PosternError('webhook-timeout', `no whole answer within ${options.timeoutMs} ms`, {
        subject: url.host,
        cause,
      });
    throw new PosternError(
      'webhook-unreachable',
      `cannot deliver to ${url.host}: ${(cause as Error).message}`,
      { subject: url.host, cause },
    );
  }
}

function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  guarded: LookupFunction,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = start(
      url,
      { method: 'POST', headers, lookup: guarded, signal, agent: false },
      (answer) => {
        let byteCount = 0;
        answer.on('data', (chunk: Buffer) => {
          byteCount += chunk.length;
          // The status is all that counts; an endless answer is cut.
          if (byteCount > MAX_ANSWER_BYTES) {
            resolve(answer);
            request.destroy();
          }
        });
        answer.on('end', () => resolve(answer));
        answer.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Seconds, or a date; undefined for what is neither. */
export function readRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const afterMs = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(afterMs) ? undefined : Math.max(0, afterMs);
}

/** Looks the name up and checks the very addresses that are then connected to, so that a second answer cannot differ. */
function guardedLookup(allowedHosts: readonly string[]): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      try {
        const checked = guardedAddresses(hostname, addresses, allowedHosts);
        if (lookupOptions.all) callback(null, checked as never);
        else callback(null, checked[0].address, checked[0].family);
      } catch (refused) {
        callback(refused as NodeJS.ErrnoException, '', 0);
      }
    });
  };
}
