import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findPacket,
  findRotation,
  findSequences,
  hitsOf,
  type SequenceLimits,
} from '../../src/analytics/knock-sequence.ts';
import type { Contact } from '../../src/model/host.ts';

const limits: SequenceLimits = {
  beforeMs: 100_000,
  minLength: 3,
  maxLength: 12,
  toleranceMs: 15_000,
  windowMs: 90_000,
  slackMs: 2000,
};
const SOURCE = '203.0.113.9';
const hit = (seconds: number, port: number | undefined, more: Partial<Contact> = {}): Contact => ({
  atMs: seconds * 1000,
  source: SOURCE,
  destination: '10.20.0.10',
  port,
  protocol: port === undefined ? 'icmp' : 'tcp',
  outcome: 'dropped',
  seenBy: 'host-log',
  packets: 1,
  raw: '',
  ...more,
});
const find = (contacts: readonly Contact[], own: Partial<SequenceLimits> = {}) =>
  findSequences(hitsOf(contacts), { ...limits, ...own });
const KNOCK = [hit(90, 7000), hit(92, 8000), hit(94, 9000)];

/** A small generator with a seed (Park and Miller), so that every run tries the same. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

test('any sequence inside tolerance and window is found, among any noise of others, in any order of arrival', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = randomly(seed);
    const length = 3 + next(6);
    let at = 12 + next(20);
    const knock = Array.from({ length }, (_, i) => {
      at += next(8);
      return hit(at, 1000 + 17 * i, { protocol: next(2) ? 'tcp' : 'udp' });
    });
    const noise = Array.from({ length: next(60) }, () =>
      hit(next(100), 1 + next(60_000), { source: `198.51.100.${next(250)}` }),
    );
    const mixed = [...noise, ...knock].sort(() => next(3) - 1);
    const [found] = find(mixed).filter(({ sources }) => sources[0] === SOURCE);
    assert.equal(found?.kind, 'ports', `seed ${seed}`);
    assert.equal(found.doors.length, length, `seed ${seed}`);
    assert.ok(found.hits.every(({ source }) => source === SOURCE));
    for (const [i, { atMs }] of found.hits.entries())
      assert.ok(i === 0 || atMs - found.hits[i - 1].atMs <= limits.toleranceMs);
  }
});

test('whatever is found holds to the limits, and retries change nothing', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = randomly(seed);
    const contacts = Array.from({ length: next(40) }, (_, i) =>
      hit(next(1200) / 10, [7000, 8000, 9000, 22, undefined][next(5)], {
        source: `198.51.100.${next(3)}`,
        sourcePort: 40_000 + i,
      }),
    );
    const found = find(contacts);
    for (const { kind, hits, doors, sources } of found) {
      assert.equal(sources.length, 1);
      assert.ok(hits.length >= limits.minLength && hits.every(({ source }) => source === sources[0]));
      assert.ok(hits[0].atMs >= limits.beforeMs - limits.windowMs);
      assert.ok(hits[hits.length - 1].atMs <= limits.beforeMs + limits.slackMs);
      if (kind === 'ports') assert.ok(doors.filter((door) => door.includes('/')).length >= limits.minLength);
    }
    const retried = contacts.flatMap((one) =>
      one.protocol === 'tcp'
        ? [one, { ...one, atMs: one.atMs + 1000 }, { ...one, atMs: one.atMs + 3000 }]
        : [one],
    );
    const bare = (list: typeof found) =>
      list.map(({ kind, hits }) => [kind, hits.map(({ door, atMs }) => [door, atMs])]);
    assert.deepEqual(bare(find(retried)), bare(found), `seed ${seed}`);
  }
});

test('retries of one SYN are one hit; new tries of the same port are no further step', () => {
  const retries = [1, 3, 7, 15].map((seconds) => hit(80 + seconds, 7000, { sourcePort: 40_001 }));
  assert.equal(hitsOf(retries).get(SOURCE)?.length, 1);
  assert.deepEqual(find([...retries, hit(96, 8000)]), []);
  assert.deepEqual(
    find([
      hit(90, 7000, { sourcePort: 1 }),
      hit(91, 7000, { sourcePort: 2 }),
      hit(92, 7000, { sourcePort: 3 }),
    ]),
    [],
  );
  assert.deepEqual(find([hit(90, 7000), hit(92, 8000)]), []);
});

test('a hit that log, flow and Zeek all tell of is one, also behind NAT, where the source port is another', () => {
  const twice = KNOCK.slice(0, 2).flatMap((one) => [
    { ...one, sourcePort: 5 },
    { ...one, atMs: one.atMs + 900, seenBy: 'flow' as const, sourcePort: 61_000 },
    { ...one, atMs: one.atMs + 1900, seenBy: 'zeek' as const, outcome: 'unanswered' as const },
  ]);
  assert.equal(hitsOf(twice).get(SOURCE)?.length, 2);
  const pings = [hit(90, undefined), hit(90.2, undefined, { seenBy: 'flow' }), hit(92, undefined)];
  assert.deepEqual(find(pings), []);
});

test('a port may come again inside a sequence: 7000, 8000, 7000', () => {
  const again = [
    hit(90, 7000, { sourcePort: 1 }),
    hit(91, 8000, { sourcePort: 2 }),
    hit(92, 7000, { sourcePort: 3 }),
  ];
  assert.deepEqual(
    find(again).map(({ kind, hits }) => [kind, hits.map(({ port }) => port)]),
    [['repeating', [7000, 8000, 7000]]],
  );
  assert.equal(find([...again, hit(93, 9000)])[0].kind, 'ports');
});

test('equal times keep the order given, and the same moment as the change is before it', () => {
  const at = [7000, 8000, 9000].map((port) => hit(100, port));
  assert.deepEqual(find(at)[0].doors, ['tcp/7000', 'tcp/8000', 'tcp/9000']);
  assert.equal(find(at.map((one) => ({ ...one, atMs: 102_000 }))).length, 1);
  assert.equal(find(at.map((one) => ({ ...one, atMs: 102_001 }))).length, 0);
});

test('tolerance and window are exact on both sides', () => {
  assert.equal(find([hit(60, 1), hit(75, 2), hit(90, 3)]).length, 1);
  assert.equal(find([hit(60, 1), hit(75, 2), hit(90.001, 3)]).length, 0);
  assert.equal(find([hit(10, 1), hit(12, 2), hit(14, 3)]).length, 1);
  assert.equal(find([hit(9.999, 1), hit(12, 2), hit(14, 3)]).length, 0);
});

test('the same port number over TCP and UDP is two doors; what was let in is none', () => {
  assert.equal(find([hit(90, 7000), hit(91, 7000, { protocol: 'udp' }), hit(92, 8000)])[0].kind, 'ports');
  const open = hit(94.1, 9000, { outcome: 'accepted' });
  assert.equal(find([...KNOCK.slice(0, 2), hit(94, 9000, { outcome: 'unknown' }), open]).length, 0);
  assert.equal(find([...KNOCK.slice(0, 2), hit(94, 9000, { outcome: 'unknown' })]).length, 1);
  const isDoor = ({ port }: { port?: number }) => port !== 9000;
  assert.deepEqual(findSequences(hitsOf(KNOCK), limits, isDoor), []);
});

test('very many ports, or new ones afterwards, are a scan; knocking again to close is none', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => hit(80 + i / 10, 1000 + i));
  assert.equal(find(many(12))[0].kind, 'ports');
  assert.equal(find(many(13))[0].kind, 'scan');
  const after = [hit(110, 1), hit(112, 2), hit(114, 3)];
  assert.equal(find([...KNOCK, ...after])[0].kind, 'scan');
  assert.equal(find([...KNOCK, ...after.slice(1)])[0].kind, 'ports');
  assert.equal(
    find([...KNOCK, ...KNOCK.map((one) => ({ ...one, atMs: one.atMs + 20_000 }))])[0].kind,
    'ports',
  );
});

test('rotation: hits of several sources, one of them the one that is asked for', () => {
  const from = (sources: string[]) => hitsOf(KNOCK.map((one, i) => ({ ...one, source: sources[i] })));
  const near = from(['203.0.113.1', '203.0.113.2', SOURCE]);
  assert.equal(findRotation(near, SOURCE, limits)?.kind, 'rotation-network');
  assert.equal(findRotation(near, '203.0.113.77', limits), undefined);
  const far = from(['198.51.100.1', '192.0.2.2', SOURCE]);
  assert.equal(findRotation(far, SOURCE, limits)?.kind, 'rotation');
  const v6 = from(['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::3']);
  assert.equal(findRotation(v6, '2001:db8:0:1::1', limits)?.kind, 'rotation-network');
  assert.equal(findRotation(hitsOf(KNOCK.slice(0, 2)), SOURCE, limits), undefined);
  // Who tries enough ports alone is no part of somebody else's sequence.
  const alone = KNOCK.map((one) => ({ ...one, source: '203.0.113.1' }));
  assert.equal(findRotation(hitsOf([...alone, hit(95, 1)]), SOURCE, limits), undefined);
});

test('a single packet: one UDP port, shortly before', () => {
  const packet = hit(95, 62201, { protocol: 'udp' });
  assert.equal(findPacket(hitsOf([packet]), SOURCE, limits, 10_000)?.kind, 'packet');
  assert.equal(findPacket(hitsOf([packet]), SOURCE, limits, 4999), undefined);
  assert.equal(findPacket(hitsOf([packet, hit(96, 1)]), SOURCE, limits, 10_000), undefined);
  assert.equal(findPacket(hitsOf([hit(95, 62201)]), SOURCE, limits, 10_000), undefined);
});

test('nothing is found in nothing, and 20,000 contacts take no time worth naming', () => {
  assert.deepEqual(find([]), []);
  const many = Array.from({ length: 20_000 }, (_, i) =>
    hit(10 + (i * 90) / 20_000, 1 + (i % 60_000), { source: `198.51.${(i / 200) >> 0}.7` }),
  );
  const startedAtMs = performance.now();
  find(many);
  assert.ok(performance.now() - startedAtMs < 2000);
});
