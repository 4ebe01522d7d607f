// what the story needs of the service's HTTP API
import { setTimeout as pause } from 'node:timers/promises';
import { PosternError } from '../model/errors.ts';

export interface Api {
  /** Resolves to the parsed answer. Throws PosternError 'demo-api' for any status but 2xx. */
  readonly call: <Answer>(method: 'GET' | 'POST', path: string, body?: object) => Promise<Answer>;
}

const TIMEOUT_MS = 15_000;
const POLL_MS = 500;

export function createApi(url: string, key: string, signal: AbortSignal): Api {
  return {
    call: async (method, path, body) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
        },
        body: body && JSON.stringify(body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      const text = await response.text();
      if (!response.ok)
        throw new PosternError(
          'demo-api',
          `${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`,
        );
      return JSON.parse(text);
    },
  };
}

interface Health {
  readonly lastSuccessAt: string | null;
  readonly lastError: string | null;
}

/** Resolves when the device was pulled. Throws PosternError 'demo-pull' with what the service says where it cannot be. */
export async function firstPull(api: Api, deviceId: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const health = await api.call<Health>('GET', `/v1/devices/${deviceId}/health`);
    if (health.lastSuccessAt !== null) return;
    if (health.lastError !== null)
      throw new PosternError('demo-pull', `the played router could not be pulled: ${health.lastError}`);
    await pause(POLL_MS, undefined, { signal });
  }
}
