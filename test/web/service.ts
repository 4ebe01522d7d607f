// the whole service with stores of its own in a temporary folder, asked through app.inject
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { createApp } from '../../src/app.ts';
import type { Services } from '../../src/services.ts';
import { loadSettings } from '../../src/settings.ts';
import { createKey } from '../../src/store/postgres/api-keys.ts';
import type { Role } from '../../src/store/postgres/schema.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: answers of all kinds, looked into by tests
  readonly body: any;
  readonly text: string;
}

export interface Service {
  readonly app: FastifyInstance;
  readonly services: Services;
  readonly keys: Readonly<Record<Role, string>>;
  /** As the role, or with the key, or without any where null. */
  ask(
    who: Role | { key: string } | null,
    method: string,
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

export const ALL_ROLES: readonly Role[] = [
  'admin',
  'network',
  'soc',
  'change',
  'auditor',
  'tickets-only',
  'snapshots-only',
];

/** One a test file: the engine in process holds one data folder. No workers, so that jobs stay where they were put. */
export async function startWeb(settings: Record<string, string> = {}): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-web-'));
  // As root, PostgreSQL runs as another user, who must be able to get there.
  chmodSync(folder, 0o755);
  const app = await createApp({
    settings: loadSettings(
      {},
      {
        POSTERN_DATA: join(folder, 'data'),
        POSTERN_LOG_LEVEL: 'error',
        POSTERN_ROLES: 'api',
        POSTERN_NETFLOW_PORT: '0',
        POSTERN_IPFIX_PORT: '0',
        POSTERN_SFLOW_PORT: '0',
        POSTERN_IPFIX_TCP_PORT: '0',
        POSTERN_SYSLOG_PORT: '0',
        POSTERN_ENRICHMENT_FETCH: 'off',
        ...settings,
      },
    ),
  });
  after(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  });
  await app.ready();
  const made = ALL_ROLES.map(
    async (role) =>
      [role, (await createKey(app.services.postgres, `${role} key`, role, Date.now())).key] as const,
  );
  const keys = Object.fromEntries(await Promise.all(made)) as Record<Role, string>;
  const ask: Service['ask'] = async (who, method, url, body, headers = {}) => {
    const key = typeof who === 'string' ? keys[who] : who?.key;
    const answer = await app.inject({
      method: method as InjectOptions['method'],
      url,
      headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const type = String(answer.headers['content-type'] ?? '');
    return {
      status: answer.statusCode,
      type,
      headers: answer.headers,
      body: /json/.test(type) && answer.body !== '' ? answer.json() : undefined,
      text: answer.body,
    };
  };
  return { app, services: app.services, keys, ask };
}
