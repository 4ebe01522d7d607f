// the service and the played network -> what happens on it, in order, told as it happens
import { setTimeout as pause } from 'node:timers/promises';
import type { DeviceAlert } from '../model/alert.ts';
import { SEVERITIES } from '../model/watch.ts';
import { type Api, firstPull } from './api.ts';
import type { Exporter } from './exporter.ts';
import type { Inbox } from './inbox.ts';
import { RELAY } from './router-config.ts';
import type { Teller } from './say.ts';
import type { SyslogSender } from './syslog.ts';

export interface Stage {
  readonly api: Api;
  readonly teller: Teller;
  readonly exporter: Exporter;
  readonly syslog: SyslogSender;
  readonly router: PlayedRouter;
  readonly alerts: Inbox<DeviceAlert>;
}

/** What the story does to the router, and hears from it. */
export interface PlayedRouter {
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** Resolves when its configuration is asked for the next time. */
  readonly nextRead: (signal: AbortSignal) => Promise<void>;
  readonly addRelay: (user: string) => void;
}

export const ROUTER_NAME = 'edge1';
const PAST_HOURS = 3;
const NORMAL_MS = 8000;
const TYPING_MS = 2500;
const ALICE = 'alice';
const ALICE_FROM = '10.99.0.9';

/** Resolves when the alert is high. Rejects with the signal's reason, or with PosternError where the service refuses a part. */
export async function playStory(stage: Stage, signal: AbortSignal): Promise<void> {
  const { teller, exporter, syslog, router, alerts } = stage;
  const { paint, tell } = teller;
  await exporter.sendPast(PAST_HOURS, signal);
  tell(`${PAST_HOURS} hours of browsing came in as ${exporter.datagramCount()} datagrams of NetFlow v9`);
  const deviceId = await registerRouter(stage);
  await firstPull(stage.api, deviceId, signal);
  tell(`${ROUTER_NAME}, a Cisco router (played), is registered and pulled over SSH`);
  exporter.play();
  tell('normal traffic: three hosts browse at EXAMPLE-CDN, answers come back');
  await pause(NORMAL_MS, undefined, { signal });

  await syslog.say(
    `%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ${ALICE}] [Source: ${ALICE_FROM}] [localport: 22]`,
  );
  tell(`${paint('yellow', ALICE)} logs in to ${ROUTER_NAME} from ${ALICE_FROM}`);
  await pause(TYPING_MS, undefined, { signal });
  router.addRelay(ALICE);
  tell(`she types: ${paint('yellow', RELAY)}`);
  await pause(TYPING_MS, undefined, { signal });
  const reread = router.nextRead(signal);
  reread.catch(() => {}); // awaited after the line is sent; a stop may come before
  await syslog.say(`%SYS-5-CONFIG_I: Configured from console by ${ALICE} on vty0 (${ALICE_FROM})`);
  tell('the router says by syslog that it was configured');
  await reread;
  tell('Postern pulls the router again and reads what newly became possible');
  tell(paint('dim', 'that opens a watch, which is answered for the first time 15 s later'));
  await alerts.until(() => true, signal);

  exporter.startStream();
  tell('10.20.0.10 and 10.20.0.11 stream to the relay; hardly anything comes back');
  tell(paint('dim', 'flows are stored every 10 s, and the watch is answered again every 15 s'));
  await alerts.until(isHigh, signal);
}

const isHigh = (alert: DeviceAlert): boolean =>
  SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf('high');

async function registerRouter({ api, router }: Stage): Promise<string> {
  const { id } = await api.call<{ id: string }>('POST', '/v1/devices', {
    name: ROUTER_NAME,
    vendor: 'cisco-ios',
    address: '127.0.0.1',
    port: router.port,
    username: router.username,
    credential: { password: router.password },
    addresses: ['192.0.2.2'],
    exporters: ['127.0.0.1'],
    ticketPattern: 'CHG\\d{7}',
  });
  return id;
}
