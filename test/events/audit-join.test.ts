import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAuditJoiner, type JoinLimits } from '../../src/events/audit-join.ts';
import { readRecord, recordFields } from '../../src/events/audit-record.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { readSocketAddress } from '../../src/events/sockaddr.ts';
import type { Event } from '../../src/model/event.ts';

const NOW_MS = Date.UTC(2026, 10, 2, 2, 11, 7);

/** Lines, each a second after the other where `stepMs` says so -> events. */
function join(lines: readonly string[], stepMs = 0, limits: Partial<JoinLimits> = {}) {
  const events: Event[] = [];
  const joiner = createAuditJoiner((event) => events.push(event), limits);
  for (const [i, line] of lines.entries())
    joiner.push(
      parseEvent(line, '192.0.2.1', NOW_MS, { toleranceMs: Number.POSITIVE_INFINITY }),
      NOW_MS + i * stepMs,
    );
  const waiting = joiner.openCount;
  joiner.end();
  return { events, waiting, counters: joiner.counters };
}

const at = (serial: number) => `msg=audit(1793585465.250:${serial})`;
const SYSCALL = (serial: number, syscall: number, more = '') =>
  `type=SYSCALL ${at(serial)}: arch=c000003e syscall=${syscall} success=yes exit=0 a0=4 a1=0 ppid=11 pid=12 auid=1000 uid=1000 euid=0 tty=pts0 ses=3 comm="x" exe="/usr/sbin/xtables-nft-multi" subj=docker-default (enforce) key="k"${more}`;

test('the four generations of NETFILTER_CFG, with who did it', () => {
  const generations: [string, string | undefined, number][] = [
    ['table=filter family=2 entries=7', undefined, 7],
    [
      'table=nat family=2 entries=90 op=xt_replace pid=12 subj=docker-default (enforce) comm="iptables-restor"',
      'xt_replace',
      90,
    ],
    [
      'table=firewalld:1;filter_FORWARD:85 family=1 entries=101 op=nft_register_rule pid=12 comm="firewalld"',
      'nft_register_rule',
      101,
    ],
    [
      'table=raw:48 family=2 entries=2 op=nft_unregister_rule pid=12 subj=unconfined comm="nft"',
      'nft_unregister_rule',
      2,
    ],
  ];
  for (const [fields, action, entryCount] of generations) {
    const lines = [
      `type=NETFILTER_CFG ${at(9)}: ${fields}`,
      SYSCALL(9, 46),
      `type=PROCTITLE ${at(9)}: proctitle=69707461626C6573002D46`,
    ];
    const { events, waiting } = join(lines);
    assert.equal(waiting, 0, 'PROCTITLE closes');
    assert.equal(events.length, 1);
    const { kind, command, executable, pid, parentPid, effectiveUser, loginUser, tty, observedAtMs, raw } =
      events[0];
    assert.deepEqual(
      {
        kind,
        action: events[0].action,
        entryCount: events[0].entryCount,
        command,
        executable,
        pid,
        parentPid,
        effectiveUser,
        loginUser,
        tty,
        observedAtMs,
      },
      {
        kind: 'firewall-changed',
        action,
        entryCount,
        command: 'iptables -F',
        executable: '/usr/sbin/xtables-nft-multi',
        pid: 12,
        parentPid: 11,
        effectiveUser: '0',
        loginUser: '1000',
        tty: 'pts0',
        observedAtMs: 1_793_585_465_250,
      },
    );
    assert.equal(raw, lines.join('\n'), 'every line is kept');
  }
});

test('loading a table changes no rule, whoever did it', () => {
  const { events } = join([
    `type=NETFILTER_CFG ${at(9)}: table=nat family=2 entries=0 op=xt_register pid=12 comm="modprobe"`,
    SYSCALL(9, 313),
    `type=EOE ${at(9)}: `,
  ]);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['other'],
  );
});

test('EXECVE: quoted, encoded, split over records, and a0 that is neither', () => {
  const { events } = join([
    SYSCALL(1, 59),
    `type=EXECVE ${at(1)}: argc=4 a0=top a1="-b" a2_len=8 a2[0]=6162`,
    `type=EXECVE ${at(1)}: a2[1]="cd" a3=1B5B`,
    `type=PROCTITLE ${at(1)}: proctitle="top"`,
  ]);
  assert.deepEqual(
    events.map((event) => [event.kind, event.arguments]),
    [['command', ['top', '-b', 'abcd', '\ufffd[']]],
  );
});

test('enriched fields win over numbers, whether or not the separator came through', () => {
  for (const separator of ['\u001d', '']) {
    const { events } = join([
      SYSCALL(1, 59, `${separator}ARCH=x86_64 SYSCALL=execve AUID="alice" UID="alice" EUID="root"`),
      `type=EXECVE ${at(1)}: argc=1 a0="id"`,
    ]);
    assert.deepEqual(
      [events[0].loginUser, events[0].effectiveUser, events[0].kind],
      ['alice', 'root', 'command'],
    );
  }
});

test('a port that is taken is a listener; other sockets, failures and port 0 are none', () => {
  const bind = (saddr: string, success = 'yes', syscall = 49) =>
    join([
      SYSCALL(1, syscall).replace('success=yes', `success=${success}`),
      `type=SOCKADDR ${at(1)}: saddr=${saddr}`,
    ]).events[0];
  const told = ({ kind, destinationAddress, destinationPort }: Event) => [
    kind,
    destinationAddress,
    destinationPort,
  ];
  assert.deepEqual(told(bind('02001F90000000000000000000000000')), ['listen', '0.0.0.0', 8080]);
  assert.deepEqual(told(bind('0A001F9000000000000000000000000000000000000000000000000000000000')), [
    'listen',
    '::',
    8080,
  ]);
  assert.deepEqual(told(bind('02001F90000000000000000000000000', 'no')), ['other', '0.0.0.0', 8080]);
  assert.deepEqual(told(bind('02000000000000000000000000000000')), ['other', '0.0.0.0', 0]);
  assert.deepEqual(told(bind('100000000000000000000000')), ['other', undefined, undefined]);
  assert.deepEqual(told(bind('020001BBCB007109', 'no', 42)), ['connect', '203.0.113.9', 443]);
  assert.deepEqual(readSocketAddress('02000050A9FEA9FE'), { address: '169.254.169.254', port: 80 });
});

test('numbers from the kernel, services and USER_CMD', () => {
  const kernel = (type: number, fields: string) =>
    `kernel: audit: type=${type} audit(1793585465.250:9): ${fields}`;
  assert.deepEqual(
    join([
      kernel(
        1300,
        'arch=c00000b7 syscall=200 success=yes ppid=1 pid=12 auid=4294967295 euid=0 tty=(none) exe="/usr/bin/nc"',
      ),
      kernel(1306, 'saddr=02001F90000000000000000000000000'),
      kernel(1327, 'proctitle=6E63002D6C'),
    ]).events.map(({ kind, command, destinationPort, loginUser, tty }) => [
      kind,
      command,
      destinationPort,
      loginUser,
      tty,
    ]),
    [['listen', 'nc -l', 8080, undefined, undefined]],
  );
  const alone = join([
    `type=SERVICE_STOP ${at(3)}: pid=1 uid=0 auid=4294967295 msg='unit=firewalld comm="systemd" exe="/usr/lib/systemd/systemd" terminal=? res=success'`,
    kernel(
      1130,
      `pid=1 uid=0 auid=4294967295 msg='unit=ssh comm="systemd" exe="/usr/lib/systemd/systemd" terminal=? res=success'`,
    ),
    `type=USER_CMD ${at(4)}: pid=5 uid=1000 auid=1000 msg='cwd="/" cmd=6E667420666C7573682072756C65736574 terminal=pts/0 res=success'`,
  ]);
  assert.deepEqual(
    alone.events.map(({ kind, unit, command, loginUser, tty }) => [kind, unit, command, loginUser, tty]),
    [
      ['service-stopped', 'firewalld', undefined, undefined, undefined],
      ['service-started', 'ssh', undefined, undefined, undefined],
      ['firewall-changed', undefined, 'nft flush ruleset', '1000', 'pts/0'],
    ],
  );
});

test('records out of order and of several events, hosts and nodes are told apart', () => {
  const { events } = join([
    `type=PROCTITLE ${at(1)}: proctitle=6964`,
    `node=b ${SYSCALL(1, 59)}`,
    SYSCALL(2, 59),
    `type=EXECVE ${at(1)}: argc=1 a0="id"`,
    `node=b type=EXECVE ${at(1)}: argc=1 a0="ls"`,
    SYSCALL(1, 59),
    'it rains',
    `type=EXECVE ${at(2)}: argc=1 a0="ps"`,
  ]);
  assert.deepEqual(
    events.map(({ host, command }) => [host, command]),
    [
      [undefined, undefined],
      [undefined, 'id'],
      ['b', 'ls'],
      [undefined, 'ps'],
    ],
  );
});

test('an event waits two seconds of the time that is passed, and never beyond the bounds', () => {
  const cut = join([SYSCALL(1, 59), SYSCALL(2, 59), `type=EXECVE ${at(1)}: argc=1 a0="id"`], 1000);
  assert.deepEqual(
    cut.events.map(({ command }) => command),
    [undefined, undefined, 'id'],
    'the first was closed by time',
  );
  const many = Array.from({ length: 50 }, (_, i) => SYSCALL(i, 59));
  assert.deepEqual(
    [join(many, 0, { maxOpenOfSender: 10 }), join(many, 0, { maxOpen: 10 })].map(
      ({ waiting, events, counters }) => [waiting, events.length, counters.crowdedEvents],
    ),
    [
      [10, 50, 40],
      [10, 50, 40],
    ],
  );
  const bytes = join(many, 0, { maxBytes: 5000 });
  assert.ok(bytes.waiting < 5 && bytes.events.length === 50);
  const long = join(
    Array.from({ length: 500 }, (_, i) => `type=PATH ${at(1)}: item=${i} name="${'x'.repeat(1000)}"`),
  );
  assert.ok(long.events.length > 5, 'an endless event is cut');
  assert.equal(long.events.flatMap(({ raw }) => raw.split('\n')).length, 500, 'and no line of it is lost');
});

const folder = fileURLToPath(new URL('../../../shared/corpora/syslog/go-libaudit/', import.meta.url));
const skip = existsSync(folder) ? false : 'the shared corpora are not here';

interface Golden {
  '@timestamp': string;
  record_type: string;
  sequence: number;
  data?: Record<string, string>;
}
/** What go-libaudit interprets by tables of its own: names of calls and errors, parts of contexts, families and results. */
const INTERPRETED =
  /^(?:arch|syscall|exit|subj_\w+|obj_\w+|auid|ses|result|seresult|seperms|sig|family|addr|port|path|old-\w+|new-\w+|old_\w+|list|saddr|socket_\w+|name|acct|reason)$/;

test('go-libaudit: every record has its type, time, serial and decoded fields', { skip }, () => {
  let fieldCount = 0;
  let recordCount = 0;
  for (const name of readdirSync(`${folder}auparse/testdata`).filter((file) => file.endsWith('.golden'))) {
    const golden = JSON.parse(readFileSync(`${folder}auparse/testdata/${name}`, 'utf8')) as (Golden | null)[];
    const records = readFileSync(`${folder}auparse/testdata/${name.replace('.golden', '')}`, 'utf8')
      .split('\n')
      .flatMap((line) => readRecord(line.replace(/\)(?= config changed)/, '):')) ?? []);
    const bySerial = new Map(
      records.map((record) => [`${record.type.toLowerCase()} ${record.serial} ${record.text}`, record]),
    );
    for (const expected of golden) {
      if (expected === null) continue;
      const own = [...bySerial.values()].filter(
        (record) =>
          record.type.toLowerCase() === expected.record_type && record.serial === String(expected.sequence),
      );
      assert.ok(own.length > 0, `${name}: ${expected.record_type} ${expected.sequence}`);
      recordCount++;
      assert.equal(own[0].observedAtMs, Date.parse(expected['@timestamp']));
      for (const [key, value] of Object.entries(expected.data ?? {})) {
        if (INTERPRETED.test(key)) continue;
        fieldCount++;
        const found = own.map((record) => recordFields(record).get(key));
        assert.ok(
          found.includes(value),
          `${name} ${expected.sequence} ${expected.record_type} ${key}: ${found} is not ${value}`,
        );
      }
    }
  }
  assert.ok(recordCount > 60 && fieldCount > 400, `${recordCount} records, ${fieldCount} fields`);
});

interface Coalesced {
  test_name: string;
  event: {
    '@timestamp': string;
    process: Partial<Record<'pid' | 'ppid' | 'title' | 'exe', string>> & { args?: string[] };
    user: { ids?: Record<string, string> };
    data?: Record<string, string>;
  };
}

test('go-libaudit: every joined event names its process', { skip }, () => {
  let count = 0;
  for (const name of readdirSync(`${folder}aucoalesce/testdata`).filter((file) => file.endsWith('.golden'))) {
    const yaml = readFileSync(
      `${folder}aucoalesce/testdata/${name.replace('.json.golden', '.yaml')}`,
      'utf8',
    );
    const golden = JSON.parse(readFileSync(`${folder}aucoalesce/testdata/${name}`, 'utf8')) as Coalesced[];
    for (const { test_name, event: expected } of golden) {
      const block = yaml.slice(
        yaml.search(new RegExp(`^  "?${test_name.replace(/[.*+?^$()|[\]\\]/g, '\\$&')}"?:`, 'm')),
      );
      const lines = block.split('\n').slice(1);
      const end = lines.findIndex((line) => /^ {2}\S/.test(line) && !line.trim().startsWith('#'));
      const records = lines.slice(0, end < 0 ? undefined : end).filter((line) => /^ {4}type=/.test(line));
      const events = join(records.map((line) => line.trim())).events.filter(
        ({ raw }) => !/^type=EOE/.test(raw),
      );
      assert.equal(events.length, 1, `${name} ${test_name}: ${events.length} events of ${records.length}`);
      const [event] = events;
      count++;
      assert.equal(event.observedAtMs, Date.parse(expected['@timestamp']), test_name);
      const { pid, ppid, exe, args } = expected.process;
      if (pid !== undefined && /^\d+$/.test(pid)) assert.equal(event.pid, Number(pid), test_name);
      if (ppid !== undefined) assert.equal(event.parentPid, Number(ppid), test_name);
      if (exe !== undefined) assert.equal(event.executable, exe, test_name);
      if (args !== undefined) assert.deepEqual(event.arguments, args, test_name);
    }
  }
  assert.ok(count > 20, `${count} events`);
});

test('go-libaudit: the reassembler gives the same events in order, out of order and with losses', {
  skip,
}, () => {
  const read = (name: string) =>
    join(
      readFileSync(`${folder}testdata/${name}.log`, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    );
  const told = (name: string) =>
    read(name)
      .events.map(({ observedAtMs, command, raw }) => [observedAtMs, command ?? '', raw.split('\n').length])
      .sort();
  assert.deepEqual(told('out_of_order'), told('normal'));
  assert.equal(told('normal').length, 5);
  assert.equal(read('lost_messages').events.length, 5);
  assert.equal(read('rollover').events.length, 5);
});
