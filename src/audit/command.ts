// `postern audit`: recorded configurations, captures and log files -> alerts as JSON lines
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNetworks } from '../../enrichment/build.ts';
import type { LookupTables } from '../../enrichment/pack.ts';
import { buildTables } from '../../enrichment/tables.ts';
import { type Command, UsageError } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { Host } from '../model/host.ts';
import { openClickHouse } from '../store/clickhouse/open.ts';
import { type CaptureFindings, createCaptureFindings, exportDatagrams, FLOW_PORTS } from './captures.ts';
import { recordedConfigs } from './configs.ts';
import { type ConfigFindings, watchesOf } from './evidence.ts';
import { hostQuestionsOf, type OpenedHostQuestion, siteHosts } from './hosts.ts';
import { recordedEvents } from './lines.ts';
import { attributed } from './origins.ts';
import { replay } from './replay.ts';
import { type AuditSite, categoryOf, readSite } from './site.ts';

const help = `postern audit --site FILE [--configs DIR|GIT] [--flows FILE...] [--syslog FILE...] [--until TIME]

Runs the analytics over recorded evidence, in the evidence's own time. Alerts go to stdout, one JSON
object a line; a summary goes to stderr. Needs no service, no port and no database server.

  --site FILE       the site: internal prefixes, devices, hosts, tickets, approved forwards and uses (JSON)
  --configs DIR     DIR/<device or host>/<time>.cfg, or a git repository of Oxidized or RANCID
  --flows FILE...   pcap or pcapng of export datagrams; the packets' source is the exporter
  --syslog FILE...  log lines, each with its arrival time and sender in front
  --until TIME      answer questions up to this time (RFC 3339); default: all of them

Exit status: 0 no alert, 1 alerts, 2 bad use or unreadable input.
`;

export const command: Command = {
  name: 'audit',
  summary: 'run the analytics over recorded evidence',
  help,
  run,
};

interface Options {
  readonly site: string;
  readonly configs?: string;
  readonly flows: readonly string[];
  readonly syslog: readonly string[];
  readonly untilMs?: number;
}

async function run(args: readonly string[]): Promise<number> {
  const started = performance.now();
  const options = readOptions(args);
  const site = await readSite(options.site);
  if (site.unknownNames.length > 0)
    warning(`${options.site}: not understood and passed over: ${listed(site.unknownNames)}`);
  for (const file of options.flows)
    await stat(file).catch((cause) => {
      throw new PosternError('unreadable', `cannot read ${file}: ${cause.code}`, { subject: file, cause });
    });
  if (options.configs === undefined && site.devices.length > 0)
    throw new UsageError(
      '--configs is missing: the site has devices, and their changes are read from configurations',
    );
  const { configs, unknown } = options.configs
    ? await recordedConfigs(
        options.configs,
        [...site.devices, ...(site.hosts ?? [])].map(({ name }) => name),
      )
    : { configs: [], unknown: [] };
  const recorded = await recordedEvents(options.syslog);
  const { lineCount, malformedCount } = recorded;
  const hosts = siteHosts(site);
  const events = attributed(recorded.events, site, hosts);
  const findings = await watchesOf(site, configs, events);
  const { questions, crowdedCount } = hostQuestionsOf(site, hosts, events, findings.rulesets);
  if (crowdedCount > 0)
    warning(`${crowdedCount} triggers of hosts with too many within an hour are left out`);
  warn(findings, unknown, malformedCount);
  if (recorded.leftOutCount > 0) warning(`${recorded.leftOutCount} events are left out: more than fit`);
  const silent = site.devices.filter(({ name }) => !configs.some(({ device }) => device === name));
  if (silent.length > 0)
    warning(`no configuration of ${listed(silent.map(({ name }) => name))}: changes there are not seen`);
  const captures = createCaptureFindings();
  const { recordCount, alertCount } = await answerAll(
    site,
    { findings, questions, hosts, events },
    options,
    captures,
  );
  warnOfCaptures(captures, options, site.flowPorts ?? FLOW_PORTS);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(
    `devices ${site.devices.length}, snapshots ${findings.snapshotCount}, changes ${findings.changeCount}, records ${recordCount}, ` +
      `lines ${lineCount}, watches ${findings.watches.length + questions.length}, alerts ${alertCount}, seconds ${seconds}\n`,
  );
  return alertCount > 0 ? 1 : 0;
}

function warn(findings: ConfigFindings, unknown: readonly string[], malformedCount: number): void {
  for (const text of findings.warnings) warning(text);
  if (unknown.length > 0) warning(`not in the site file, left out: ${listed(unknown)}`);
  if (malformedCount > 0) warning(`${malformedCount} log lines have no time and sender in front`);
}

function warnOfCaptures(captures: CaptureFindings, options: Options, ports: readonly number[]): void {
  if (captures.truncated.length > 0) warning(`ends inside a packet: ${listed(captures.truncated)}`);
  if (captures.unordered.size > 0)
    warning(`not in order of time, so alerts may come late: ${listed([...captures.unordered])}`);
  if (options.flows.length > 0 && captures.exports === 0)
    warning(`no export datagrams to port ${ports.join(', ')}; ${captures.otherPorts} to others`);
}

const listed = (names: readonly string[]) =>
  `${names.slice(0, 10).join(', ')}${names.length > 10 ? ` and ${names.length - 10} more` : ''}`;
const warning = (text: string) => process.stderr.write(`warning: ${text}\n`);

interface Asked {
  readonly findings: ConfigFindings;
  readonly questions: readonly OpenedHostQuestion[];
  readonly hosts: readonly Host[];
  readonly events: readonly Event[];
}

async function answerAll(site: AuditSite, asked: Asked, options: Options, captures: CaptureFindings) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-audit-'));
  const client = await openClickHouse({ path: join(folder, 'clickhouse') });
  const onProgress = progress();
  try {
    return await replay({
      site,
      watches: asked.findings.watches,
      questions: asked.questions,
      hosts: asked.hosts,
      events: asked.events,
      rulesets: asked.findings.rulesets,
      datagrams: exportDatagrams(options.flows, site.flowPorts ?? FLOW_PORTS, captures),
      tables: tablesOf(site),
      client,
      untilMs: options.untilMs ?? Number.POSITIVE_INFINITY,
      onAlert: (alert) => process.stdout.write(`${JSON.stringify(alert)}\n`),
      onProgress,
    });
  } finally {
    await client.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function tablesOf(site: AuditSite): LookupTables {
  return buildTables({
    networks: site.asnFile ? readNetworks(site.asnFile) : [],
    operator: Object.fromEntries(
      Object.entries(site.categories ?? {}).map(([subject, category]) => [
        subject,
        categoryOf(category) ?? 'unknown',
      ]),
    ),
  });
}

/** At most a line a second, and only where it takes longer than a second. */
function progress(): (atMs: number, recordCount: number) => void {
  let last = performance.now();
  return (atMs, recordCount) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    process.stderr.write(`... ${new Date(atMs).toISOString()}, ${recordCount} records\n`);
  };
}

/** Every option takes the words up to the next option. */
function readOptions(args: readonly string[]): Options {
  const values = new Map<string, string[]>();
  let name: string | undefined;
  for (const arg of args) {
    if (arg.startsWith('--')) {
      const [option, value] = arg.slice(2).split(/=(.*)/s);
      if (!['site', 'configs', 'flows', 'syslog', 'until'].includes(option))
        throw new UsageError(`unknown option --${option}`);
      name = option;
      values.set(name, [...(values.get(name) ?? []), ...(value === undefined ? [] : [value])]);
    } else if (name) values.get(name)!.push(arg);
    else throw new UsageError(`unexpected argument ${arg}`);
  }
  const one = (option: string, isNeeded: boolean) => {
    const given = values.get(option);
    if (!given && !isNeeded) return undefined;
    if (given?.length !== 1) throw new UsageError(`--${option} takes one value`);
    return given[0];
  };
  const until = one('until', false);
  const untilMs = until === undefined ? undefined : Date.parse(until);
  if (Number.isNaN(untilMs))
    throw new UsageError(`--until takes a time such as 2026-11-02T06:00:00Z, not ${until}`);
  return {
    site: one('site', true)!,
    configs: one('configs', false),
    flows: values.get('flows') ?? [],
    syslog: values.get('syslog') ?? [],
    untilMs,
  };
}
