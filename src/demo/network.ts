// the simulated network around a service: router, exporter, syslog sender, webhook receiver
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { type Exporter, startExporter } from './exporter.ts';
import { type Router, startRouter } from './router.ts';
import { type LastChange, RELAY, routerConfig } from './router-config.ts';
import type { DemoService } from './service.ts';
import { type PlayedRouter, ROUTER_NAME } from './story.ts';
import { type SyslogSender, startSyslog } from './syslog.ts';

export interface Network {
  readonly router: PlayedRouter;
  readonly exporter: Exporter;
  readonly syslog: SyslogSender;
  readonly stop: () => Promise<void>;
}

const HOUR_MS = 3_600_000;

export async function startNetwork(service: DemoService, now: () => number): Promise<Network> {
  const reads = new EventEmitter();
  const login = { username: 'postern', password: randomBytes(12).toString('base64url') };
  let changed: LastChange = { atMs: now() - 26 * HOUR_MS, user: 'netops' };
  let relay: string | undefined;
  const router: Router = await startRouter({
    hostName: ROUTER_NAME,
    ...login,
    runningConfig: () => {
      reads.emit('read');
      return routerConfig(changed, relay);
    },
  });
  const exporter = startExporter(service.netflowPort, now);
  const syslog = startSyslog(service.syslogPort, now);
  return {
    exporter,
    syslog,
    router: {
      ...login,
      port: router.port,
      nextRead: async (signal) => {
        await once(reads, 'read', { signal });
      },
      addRelay: (user) => {
        relay = RELAY;
        changed = { atMs: now(), user };
      },
    },
    stop: async () => {
      router.stop();
      await Promise.all([exporter.stop(), syslog.stop()]);
    },
  };
}
