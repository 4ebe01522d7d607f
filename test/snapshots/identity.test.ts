// who changed it: every kind of line and list -> evidence about the actor
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseEvent } from '../../src/events/parse.ts';
import type { ActorEvidence } from '../../src/model/change.ts';
import type { Event } from '../../src/model/event.ts';
import { actorEvidence, actorsOf } from '../../src/snapshots/actors.ts';
import { historyEntries } from '../../src/snapshots/history.ts';
import { occurredBetween } from '../../src/snapshots/occurred.ts';
import { shellVendor } from './vendors.ts';

const identity = fileURLToPath(new URL('../../../shared/facts/change-identity.txt', import.meta.url));
const AT = Date.UTC(2026, 10, 2, 3, 0, 0);
const HOUR = 3_600_000;
const WINDOW = { fromMs: AT, toMs: AT + HOUR };

/** The line as an event that was received in the window. */
function eventOf(line: string): Event {
  const receivedAtMs = AT + HOUR / 2;
  const event = parseEvent(line, '192.0.2.2', receivedAtMs);
  return { ...event, observedAtMs: receivedAtMs };
}

const evidence = (line: string): ActorEvidence[] =>
  actorEvidence({ events: [eventOf(line)], definition: shellVendor, text: '', ...WINDOW });

/** By vendor, in the order of the file: user, source address, whether a command is told; undefined: no evidence of a change. */
const TOLD: Readonly<
  Record<string, readonly (readonly [string, string | undefined, boolean] | undefined)[]>
> = {
  ios: [
    ['cisco', '172.16.5.22', false],
    ['aninchat', undefined, true],
    ['cisco', undefined, true],
  ],
  asa: [
    ['somebody', '42.42.42.42', true],
    ['somebody', undefined, true],
    ['somebody', undefined, true],
  ],
  junos: [
    ['root', undefined, true],
    ['root', undefined, false],
  ],
  fortios: [
    ['admin', '10.32.22.115', true],
    ['admin', '10.32.22.115', true],
  ],
  // The second line is a login that failed: nobody changed anything.
  routeros: [['admin', undefined, false], undefined],
  'routeros-history': [['admin', undefined, true]],
  vyos: [['vyos', undefined, true]],
  'iosxr-commit': [['fred', undefined, false]],
  'ios-header': [['root', undefined, false]],
  'asa-header': [['root', undefined, false]],
  'junos-header': [['root', undefined, false]],
};

test('every line of the list of changes names who made it', {
  skip: existsSync(identity) ? false : 'the shared facts are not here',
}, () => {
  const told: Record<string, unknown[]> = {};
  for (const line of readFileSync(identity, 'utf8').split('\n')) {
    const [vendor, text] = line.split('\t');
    if (line.startsWith('#') || text === undefined) continue;
    const [first] = evidence(text);
    told[vendor] ??= [];
    told[vendor].push(first && [first.user, first.sourceAddress, first.command !== undefined]);
  }
  assert.deepEqual(told, TOLD);
});

test('a PAN-OS configuration log names administrator, client address and path', () => {
  const [first] = evidence(
    '1,2026/11/02 03:30:00,012345678901,CONFIG,0,2561,2026/11/02 03:30:00,192.0.2.77,,edit,jane,Web,Succeeded,vsys vsys1 rulebase nat rules relay,77,0x0,0,0,0,0,,fw1,,CHG0031337,,2026-11-02T03:30:00.100+00:00',
  );
  assert.equal(first.user, 'jane');
  assert.equal(first.sourceAddress, '192.0.2.77');
  assert.match(first.command ?? '', /rulebase nat rules relay/);
});

test('a ticket in a commit comment is found', () => {
  const [first] = actorEvidence({
    events: [eventOf('|1793590246|alice|cli|CHG0031337 open 8443|')],
    definition: shellVendor,
    text: '',
    ticketPattern: 'CHG\\d+',
    ...WINDOW,
  });
  assert.deepEqual([first.user, first.ticket], ['alice', 'CHG0031337']);
});

const JUNOS_COMMITS = `0   2026-11-02 03:14:00 UTC by alice via cli
    CHG0031337 open the relay
1   2026-11-01 10:00:00 UTC by bob via netconf
2   2026-10-30 09:00:00 UTC by root via other
`;
const junosHistory = {
  history: [
    /^\d{1,4} +(?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w{1,5}) by (?<user>\S{1,64}) via (?<command>\S{1,32})/,
  ],
};

test("a device's list of commits tells who and when, with the comment of each", () => {
  const entries = historyEntries(JUNOS_COMMITS, junosHistory);
  assert.equal(entries.length, 3);
  assert.deepEqual(
    [entries[0].user, entries[0].atMs, entries[0].comment],
    ['alice', Date.UTC(2026, 10, 2, 3, 14), 'CHG0031337 open the relay'],
  );
  const input = { events: [], definition: shellVendor, text: '', history: entries };
  const actors = actorEvidence({ ...input, ticketPattern: 'CHG\\d+', ...WINDOW });
  assert.deepEqual(
    actors.map(({ source, user, ticket }) => [source, user, ticket]),
    [['commit-log', 'alice', 'CHG0031337']],
  );
  const when = occurredBetween({
    ...input,
    previousTakenAtMs: AT,
    nextTakenAtMs: AT + HOUR,
  });
  assert.equal(when.basis, 'commit-log');
  assert.deepEqual([when.fromMs - AT, when.toMs - AT], [13 * 60_000, 15 * 60_000]);
});

test('a list without an entry of the time changes nothing', () => {
  const entries = historyEntries(JUNOS_COMMITS.split('\n').slice(2).join('\n'), junosHistory);
  const when = occurredBetween({
    events: [],
    definition: shellVendor,
    text: '',
    history: entries,
    previousTakenAtMs: AT,
    nextTakenAtMs: AT + HOUR,
  });
  assert.deepEqual(when, { fromMs: AT, toMs: AT + HOUR, basis: 'pulls' });
});

test('lists of any size and shape stay bounded', () => {
  const long = `${'0   2026-11-02 03:14:00 UTC by alice via cli\n'.repeat(100_000)}`;
  assert.equal(historyEntries(long, junosHistory).length, 500);
  assert.deepEqual(historyEntries(`   stray comment\n${'x'.repeat(300_000)}`, junosHistory), []);
});

const RULE = '961e8b5a-1603-51f0-e0c5-204b0b600edc';
const OTHER = '11111111-2222-3333-4444-555555555555';
const line = (user: string, uuid: string): string =>
  `date=2026-11-02 time=03:30:00 logid="0100044547" type="event" subtype="system" user="${user}" ui="GUI(192.0.2.9)" action="Edit" uuid="${uuid}" cfgpath="firewall.policy" cfgobj="8" cfgattr="dstintf[port1->port2]" msg="Edit firewall.policy 8"`;

test('a log line with the UUID of the rule is about this rule, one with another is about another', () => {
  const actors = actorEvidence({
    events: [eventOf(line('mallory', RULE)), eventOf(line('jane', OTHER))],
    definition: shellVendor,
    text: '',
    ...WINDOW,
  });
  const users = (ruleKey: string) =>
    actorsOf(actors, { ruleKey }, WINDOW).map(({ user, confidence }) => [user, confidence]);
  assert.deepEqual(users(`root:${RULE}`), [
    ['mallory', 0.95],
    ['jane', 0.2],
  ]);
  assert.equal(users(OTHER)[0][0], 'jane');
  assert.deepEqual(users('web')[0][1], 0.9);
});

test('what a rule says of its own last change counts where it is of the time', () => {
  const after = (atMs?: number) =>
    ({ lastChange: { user: 'admin@192.0.2.9', atMs, raw: '<updated>' } }) as never;
  const of = (atMs?: number) => actorsOf([], { ruleKey: 'r', after: after(atMs) }, WINDOW);
  assert.deepEqual(
    of(AT + 1000).map(({ source, user, confidence }) => [source, user, confidence]),
    [['rule-metadata', 'admin@192.0.2.9', 0.85]],
  );
  assert.deepEqual(of(AT - 86_400_000), []);
  assert.equal(of()[0].confidence, 0.3);
});
