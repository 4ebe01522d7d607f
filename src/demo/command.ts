// command line -> the service with a simulated network that misbehaves, to look at
import { parseArgs } from 'node:util';
import type { DeviceAlert } from '../model/alert.ts';
import { type Command, UsageError } from '../model/command.ts';
import { createApi } from './api.ts';
import { type Folders, makeFolders } from './folders.ts';
import { receiveWebhooks, serveNetworks } from './http.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { startNetwork } from './network.ts';
import { createTeller, type Teller } from './say.ts';
import { type DemoService, startService } from './service.ts';
import { playStory } from './story.ts';
import { summarise } from './summary.ts';

const help = `postern demo [--once] [--json] [--data FOLDER]

Starts the whole service in a temporary folder on free ports of this machine, and around it a simulated network: a Cisco
router to pull, its NetFlow and its syslog, and a receiver of webhooks. Then somebody opens a relay on the router, and
two hosts use it. Takes about a minute to the alert, then stays up for looking around until Ctrl-C. Nothing leaves the
machine.

  --once         end after the high alert: status 0, or 1 where it did not come within 150 s
  --json         the alerts as the webhook brings them, one a line; the story goes to standard error
  --data FOLDER  keep the service's data here; new or empty (default: a temporary folder, removed at the end)
`;

const DEADLINE_MS = 150_000;
/** Ends what hangs: a stop takes a second. */
const STOP_TIMEOUT_MS = 9500;

interface Options {
  readonly once: boolean;
  readonly json: boolean;
  readonly data?: string;
}

async function run(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  const folders = makeFolders(options.data);
  // Whatever ends this process, also an output that nobody reads.
  process.on('exit', folders.remove);
  const stopping = new AbortController();
  const stopOn = () => stopping.abort(new Stopped());
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stopOn);
  const output = options.json ? process.stderr : process.stdout;
  const teller = createTeller(output, Date.now);
  const cleanups: (() => unknown)[] = [];
  try {
    return await perform({ options, folders, teller, stopping, cleanups });
  } catch (error) {
    if (stopping.signal.reason instanceof Stopped) return options.once ? 1 : 0;
    // What ended the service rather than the waiting that it broke off.
    throw stopping.signal.aborted ? stopping.signal.reason : error;
  } finally {
    const timer = setTimeout(() => process.exit(1), STOP_TIMEOUT_MS);
    for (const cleanup of cleanups.reverse()) await cleanup();
    clearTimeout(timer);
    folders.remove();
    process.off('exit', folders.remove);
    for (const signal of signals) process.off(signal, stopOn);
  }
}

/** Somebody pressed Ctrl-C. */
class Stopped extends Error {}

interface Performance {
  readonly options: Options;
  readonly folders: Folders;
  readonly teller: Teller;
  readonly stopping: AbortController;
  /** What to end, in reverse order. */
  readonly cleanups: (() => unknown)[];
}

async function perform({ options, folders, teller, stopping, cleanups }: Performance): Promise<number> {
  const { signal } = stopping;
  const alerts = createInbox<DeviceAlert>();
  let secret: string | undefined;
  teller.tell(`Postern starts: PostgreSQL, ClickHouse, collector, syslog, API (data in ${folders.data})`);
  const networks = await serveNetworks();
  cleanups.push(networks.stop);
  const receiver = await receiveWebhooks(
    () => secret,
    (body) => showAlert(body, alerts, teller, options.json),
  );
  cleanups.push(receiver.stop);
  const service = await startService({
    dataFolder: folders.data,
    temporaryFolder: folders.temporary,
    networksUrl: `http://127.0.0.1:${networks.port}/networks.tsv`,
    onFatal: (error) => stopping.abort(error),
  });
  cleanups.push(service.stop);
  signal.throwIfAborted();
  teller.tell(`it listens on ${service.url}`);
  const network = await startNetwork(service, Date.now);
  cleanups.push(network.stop);
  const api = createApi(service.url, service.key, signal);
  ({ secret } = await api.call<{ secret: string }>('POST', '/v1/endpoints', {
    name: 'soc',
    url: `http://127.0.0.1:${receiver.port}/alerts`,
    format: 'postern',
  }));
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    await playStory({ ...network, api, teller, alerts }, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal.aborted || !deadline.aborted) throw error;
    teller.tell(`the high alert did not come within ${DEADLINE_MS / 1000} s`);
    if (options.once) return 1;
  }
  if (options.once) return 0;
  teller.print(farewell(service));
  await new Promise<void>((stop) => signal.addEventListener('abort', () => stop(), { once: true }));
  if (signal.reason instanceof Stopped) return 0;
  throw signal.reason;
}

function showAlert(body: string, alerts: Inbox<DeviceAlert>, teller: Teller, json: boolean): void {
  const alert: DeviceAlert = JSON.parse(body);
  const what = alert.revision === 1 ? 'an alert' : 'a revised alert';
  teller.tell(`the webhook receiver gets ${what}; its signature is right`);
  if (json) process.stdout.write(`${body}\n`);
  else teller.print(summarise(alert, teller.paint));
  alerts.put(alert);
}

function farewell({ url, key }: DemoService): string[] {
  const curl = `curl -s -H 'Authorization: Bearer ${key}'`;
  return [
    `The service stays up until Ctrl-C. Its API is described on ${url}/docs; this key opens all of it:`,
    '',
    `  ${curl} ${url}/v1/alerts`,
    `  ${curl} ${url}/v1/devices`,
    `  ${curl} ${url}/v1/exporters`,
    '',
  ];
}

function optionsOf(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { once: { type: 'boolean' }, json: { type: 'boolean' }, data: { type: 'string' } },
    });
    return { once: values.once ?? false, json: values.json ?? false, data: values.data };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export const command: Command = {
  name: 'demo',
  summary: 'the service with a simulated network that misbehaves, to look at',
  help,
  run,
};
