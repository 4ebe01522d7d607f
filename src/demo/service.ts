// a folder and free ports -> the real service, listening, with an administrator's key
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sources } from '../../enrichment/sources/index.ts';
import { createApp } from '../app.ts';
import { loadSettings } from '../settings.ts';
import { createKey } from '../store/postgres/api-keys.ts';
import { CATEGORIES } from './http.ts';
import { freePort } from './ports.ts';

export interface DemoService {
  readonly url: string;
  readonly key: string;
  readonly netflowPort: number;
  readonly syslogPort: number;
  readonly stop: () => Promise<void>;
}

export interface ServiceOptions {
  readonly dataFolder: string;
  /** For what the service reads besides its data folder. */
  readonly temporaryFolder: string;
  readonly networksUrl: string;
  readonly onFatal: (error: Error) => void;
}

/** Throws PosternError where the service cannot start. */
export async function startService(options: ServiceOptions): Promise<DemoService> {
  const [apiPort, netflowPort, syslogPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const categories = join(options.temporaryFolder, 'categories.json');
  writeFileSync(categories, JSON.stringify(CATEGORIES));
  const url = `http://127.0.0.1:${apiPort}`;
  const settings = loadSettings({
    POSTERN_DATA: options.dataFolder,
    POSTERN_LOG_LEVEL: 'error',
    POSTERN_API_HOST: '127.0.0.1',
    POSTERN_API_PORT: String(apiPort),
    POSTERN_PUBLIC_URL: url,
    POSTERN_FLOW_HOST: '127.0.0.1',
    POSTERN_NETFLOW_PORT: String(netflowPort),
    POSTERN_IPFIX_PORT: '0',
    POSTERN_SFLOW_PORT: '0',
    POSTERN_IPFIX_TCP_PORT: '0',
    POSTERN_SYSLOG_HOST: '127.0.0.1',
    POSTERN_SYSLOG_PORT: String(syslogPort),
    POSTERN_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
    POSTERN_CATEGORIES: categories,
    ...listUrls(options.networksUrl),
  });
  const app = await createApp({ settings, onFatal: options.onFatal });
  try {
    await app.listen({ host: '127.0.0.1', port: apiPort });
    const { postgres, now } = app.services;
    const { key } = await createKey(postgres, 'demo administrator', 'admin', now());
    return { url, key, netflowPort, syslogPort, stop: async () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Nothing is fetched from the internet: only the table of networks, from the demo itself. */
function listUrls(networksUrl: string): Record<string, string> {
  return Object.fromEntries(
    sources.map(({ name, urlSetting }) => [urlSetting, name === 'iptoasn' ? networksUrl : 'off']),
  );
}
