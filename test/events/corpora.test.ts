import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuditJoiner } from '../../src/events/audit-join.ts';
import { readRecord } from '../../src/events/audit-record.ts';
import { type AuditSummary, summarizeAudit } from '../../src/events/audit-summary.ts';
import { interpretRecord } from '../../src/events/audit-values.ts';
import { netfilterChangesOf } from '../../src/events/netfilter-changes.ts';
import { parseEvent } from '../../src/events/parse.ts';
import type { Event } from '../../src/model/event.ts';

const corpora = fileURLToPath(new URL('../../../shared/corpora/syslog/', import.meta.url));
const skip = existsSync(corpora) ? false : 'the shared corpora are not here';
const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);

const filesOf = (folder: string): string[] =>
  readdirSync(`${corpora}${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}${name}`);
const read = (name: string) => readFileSync(`${corpora}${name}`, 'utf8');

/** Lines -> events, joined, the lines' own time passing. */
function eventsOf(lines: readonly string[]): Event[] {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push(event));
  for (const line of lines) {
    const event = parseEvent(line, '192.0.2.1', NOW_MS, { toleranceMs: Number.POSITIVE_INFINITY });
    joiner.push(event, event.observedAtMs);
  }
  joiner.end();
  return events;
}

interface Record {
  '@timestamp': string;
  record_type: string;
  sequence: number;
  raw_msg: string;
  data?: { [key: string]: string };
  tags?: string[];
}

test('go-libaudit, records: every type, time, serial and interpreted field that it states', { skip }, () => {
  const wrong: string[] = [];
  let count = 0;
  const holds = (what: string, own: unknown, stated: unknown) => {
    count++;
    if (JSON.stringify(own) !== JSON.stringify(stated))
      wrong.push(`${what}: ${JSON.stringify(own)}, stated ${JSON.stringify(stated)}`);
  };
  const folder = 'go-libaudit/auparse/testdata/';
  for (const name of filesOf(folder).filter((file) => file.endsWith('.golden'))) {
    for (const stated of JSON.parse(read(name)) as (Record | null)[]) {
      // A line of the file that is no record.
      if (stated === null) continue;
      const record = readRecord(`type=${stated.record_type.toUpperCase()} msg=${stated.raw_msg}`);
      const at = `${name.slice(folder.length)} ${stated.record_type} ${stated.sequence}`;
      assert.ok(record, at);
      holds(`${at} time`, record.observedAtMs, Date.parse(stated['@timestamp']));
      holds(`${at} serial`, Number(record.serial), stated.sequence);
      const { fields, tags } = interpretRecord(record);
      const sorted = (entries: Iterable<[string, string]>) => Object.fromEntries([...entries].sort());
      for (const [key, value] of Object.entries(stated.data ?? {}))
        holds(`${at} ${key}`, fields.get(key), value);
      holds(`${at} all`, sorted(fields), sorted(Object.entries(stated.data ?? {})));
      if (stated.tags) holds(`${at} tags`, tags, stated.tags);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count > 1200, `${count} results`);
});

interface Coalesced {
  test_name: string;
  event: {
    '@timestamp': string;
    sequence: number;
    record_type: string;
    category: string;
    result: string;
    session: string;
    tags?: string[];
    summary: Pick<AuditSummary, 'actor' | 'action' | 'object' | 'how'>;
    user: { ids?: object; selinux?: object };
    process: { args?: string[] };
    file?: object;
    source?: object;
    destination?: object;
    network?: { direction: string };
    data?: object;
    paths?: object[];
    ecs: { event: { category?: string[]; type?: string[] }; user: object; group: object };
  };
}

/** The records of each test of a file, in the order that it has them. */
function recordsByTest(yaml: string): Map<string, string[]> {
  const tests = new Map<string, string[]>();
  let records: string[] = [];
  for (const line of yaml.split('\n')) {
    const name = /^ {2}"?([^\s#].*?)"?:/.exec(line)?.[1];
    if (name !== undefined) {
      records = [];
      tests.set(name, records);
    } else if (/^ {4}type=/.test(line)) records.push(line.trim());
  }
  return tests;
}

/** Keys sorted, what is undefined left out. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, canonical(one)]),
  );
}

function statedOf({ event }: Coalesced) {
  const { args, ...process } = event.process;
  return {
    atMs: Date.parse(event['@timestamp']),
    serial: event.sequence,
    type: event.record_type,
    category: event.category,
    result: event.result,
    session: event.session || undefined,
    tags: event.tags ?? [],
    ...event.summary,
    process,
    arguments: args,
    ids: event.user.ids ?? {},
    context: event.user.selinux ?? {},
    file: event.file,
    source: event.source,
    destination: event.destination,
    direction: event.network?.direction,
    ecs: { ...event.ecs, event: { category: [], type: [], ...event.ecs.event } },
    data: event.data ?? {},
    paths: event.paths ?? [],
  };
}

/** The schema's own nesting; there is no user that changes another here. */
function ecsOf(ecs: AuditSummary['ecs']) {
  const { user, group, ...event } = ecs ?? {
    category: [],
    type: [],
    user: { effective: {}, target: {} },
    group: {},
  };
  return { event, user: { ...user, changes: {} }, group };
}

function ownOf(records: ReturnType<typeof readRecord>[]) {
  const known = records.flatMap((record) => record ?? []);
  const { file, ecs, names: _, ...summary } = summarizeAudit(known)!;
  const context = file && Object.keys(file.context).length > 0 ? { selinux: file.context } : {};
  return {
    ...summary,
    atMs: known[0].observedAtMs,
    serial: Number(known[0].serial),
    type: summary.type.toLowerCase(),
    file: file && { ...file.told, ...context },
    ecs: ecsOf(ecs),
  };
}

/**
 * What go-libaudit states and does not hold: where the group separator is lost between `key=(null)` and `ARCH=x86_64`, it takes
 * the architecture for the key of a rule.
 */
const NOT_HELD = new Set([
  'AUDIT_TIME_ADJNTPVAL chronyd freq tags',
  'AUDIT_TIME_ADJNTPVAL chronyd status tags',
  'AUDIT_TIME_ADJNTPVAL freq/tick tags',
]);

test('go-libaudit, events: who did what to what, how, with which result', { skip }, () => {
  const wrong: string[] = [];
  const notHeld: string[] = [];
  let count = 0;
  for (const name of filesOf('go-libaudit/aucoalesce/testdata/').filter((file) => file.endsWith('.golden'))) {
    const tests = recordsByTest(read(name.replace('.json.golden', '.yaml')));
    for (const golden of JSON.parse(read(name)) as Coalesced[]) {
      const lines = tests.get(golden.test_name);
      assert.ok(lines && lines.length > 0, `${name} ${golden.test_name}`);
      const own = ownOf(lines.map(readRecord)) as { [key: string]: unknown };
      for (const [key, stated] of Object.entries(statedOf(golden))) {
        const what = `${golden.test_name} ${key}`;
        count++;
        const [a, b] = [canonical(own[key]), canonical(stated)].map((value) => JSON.stringify(value));
        if (a === b) continue;
        if (NOT_HELD.has(what)) notHeld.push(what);
        else wrong.push(`${what}: ${a}, stated ${b}`);
      }
      const events = eventsOf(lines).filter(({ raw }) => !/^type=EOE/.test(raw));
      assert.equal(events.length, 1, `${golden.test_name}: one event`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(notHeld.sort(), [...NOT_HELD].sort());
  assert.ok(count > 850, `${count} results`);
});

test('nft: each command and the record that the kernel writes of it', { skip }, () => {
  const rows = read('netfilter_cfg/nft-command-to-record.tsv')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'));
  assert.equal(rows.length, 19);
  for (const [command, payload] of rows) {
    const hex = Buffer.from(command.split(' ').join('\0')).toString('hex').toUpperCase();
    const at = 'msg=audit(1793585465.250:9)';
    const [event, ...more] = eventsOf([
      `type=NETFILTER_CFG ${at}: ${payload.replace('table=t1', 'table=t1:7')} pid=12 subj=unconfined comm="nft"`,
      `type=SYSCALL ${at}: arch=c000003e syscall=46 success=yes exit=0 ppid=11 pid=12 auid=1000 euid=0 comm="nft" exe="/usr/sbin/nft"`,
      `type=PROCTITLE ${at}: proctitle=${hex}`,
    ]);
    assert.equal(more.length, 0);
    const operation = / op=(\S+)/.exec(payload)![1];
    const entryCount = Number(/ entries=(\d+)/.exec(payload)![1]);
    assert.deepEqual(
      [event.kind, event.action, event.entryCount, event.command],
      ['firewall-changed', operation, entryCount, command],
    );
    const [change] = netfilterChangesOf(event);
    assert.deepEqual(
      [change.operation, change.table, change.handle, change.family, change.isRemoval],
      [
        operation,
        /table=(t\d)/.exec(payload)![1],
        payload.includes('table=t1') ? 7 : undefined,
        'ip',
        /^nft (?:delete|flush)/.test(command),
      ],
      command,
    );
  }
});

test('nothing in the corpora throws, and no line is lost', { skip }, () => {
  let count = 0;
  for (const name of filesOf('').filter((file) => /\.(?:log|rules|yaml|tsv|golden)$/.test(file))) {
    const lines = read(name)
      .split('\n')
      .filter((line) => line.trim() !== '');
    const kept = eventsOf(lines).flatMap(({ raw }) => raw.split('\n'));
    // An EOE that comes after its event was closed says nothing more.
    const ends = lines.filter((line) => line.includes('type=EOE')).length;
    assert.ok(kept.length <= lines.length && kept.length >= lines.length - ends, `${name}: ${kept.length}`);
    count += lines.length;
  }
  assert.ok(count > 5000, `${count} lines`);
});

test('what the corpora say, by kind', { skip }, () => {
  const kinds = (name: string) =>
    eventsOf(
      read(name)
        .split('\n')
        .filter((line) => line !== ''),
    ).map(({ kind, action, sourceAddress }) =>
      [kind, action, sourceAddress].filter((text) => text !== undefined).join(' '),
    );
  assert.deepEqual(kinds('knockd/real-lines.log'), [
    'other',
    'other Stage 1 192.168.255.2',
    'other Stage 2 192.168.255.2',
    'other Stage 3 192.168.255.2',
    'other OPEN SESAME 192.168.255.2',
    'firewall-changed',
    'firewall-changed',
  ]);
  assert.deepEqual(
    kinds('audisp-syslog/real-lines.log').map((text) => text.split(' ')[0]),
    ['command', 'other'],
  );
  assert.ok(kinds('ufw/real-lines.log').every((text) => /^firewall-(?:drop|packet)/.test(text)));
});
