import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePaths, type SampleRow } from '../../src/flows/duplicates.ts';
import { type Compared, type DuplicatePath, elect, type PathName } from '../../src/flows/duplicates-elect.ts';
import { shadowsOf } from '../../src/store/clickhouse/counted.ts';

const MINUTE = 60_000;
const names: PathName[] = [1, 2, 3, 4].map((host) => ({ exporter: `192.0.2.${host}`, interface: host }));
const NOW = Date.UTC(2026, 10, 2, 12);

interface Showing {
  readonly path: number;
  readonly rate?: number;
  readonly out?: boolean;
  readonly in?: boolean;
  readonly passes?: (conversation: number) => boolean;
  /** The bits of its ports; one of 32 by default, by conversation. */
  readonly ports?: (conversation: number) => number;
}

const bit = (conversation: number) => 1 << ((conversation * 7) % 32);

/** Conversations of 100 packets each way, in six slots, as each path shows them. */
function sample(showings: readonly Showing[], count = 40): SampleRow[] {
  const rows: SampleRow[] = [];
  for (let slot = 0; slot < 6; slot++)
    for (let conversation = 0; conversation < count; conversation++)
      for (const { path, rate = 1, passes = () => true, ports = bit, ...ways } of showings) {
        if (!passes(conversation)) continue;
        rows.push({
          conversation,
          slot,
          path,
          outPackets: ways.out === false ? 0 : 10_000,
          inPackets: ways.in === false ? 0 : 10_000,
          ports: ports(conversation),
          samplingRate: rate,
        });
      }
  return rows;
}

function look(showings: readonly Showing[], stored: readonly DuplicatePath[], run = 0, count = 40) {
  const untilMs = NOW + run * 5 * MINUTE;
  const compared: Compared = {
    ...comparePaths(sample(showings, count)),
    names,
    fromMs: untilMs - 30 * MINUTE,
    untilMs,
  };
  const rows = elect(compared, stored, () => NOW - 100 * MINUTE);
  return { rows, open: rows.filter((one) => one.untilMs === undefined) };
}

const said = (rows: readonly DuplicatePath[]) =>
  rows.map((one) => `${one.interface} of ${one.elected.interface}`).sort();

test('one port of 32 bits tells flows apart; all of them, or none, tell nothing', () => {
  const of = (first: (n: number) => number, second: (n: number) => number) =>
    comparePaths(
      sample([
        { path: 0, ports: first },
        { path: 1, ports: second },
      ]),
    ).pairs[0].sameness;
  assert.equal(of(bit, bit), 1);
  assert.equal(
    of(bit, (n) => bit(n + 1)),
    0,
  );
  // The second shows some of the first's flows only.
  assert.equal(
    of((n) => bit(n) | bit(n + 1), bit),
    1,
  );
  const half = (n: number) => (n % 2 === 0 ? bit(n) : bit(n + 1));
  assert.ok(Math.abs(of(bit, half)! - 0.48) < 0.05);
  assert.equal(
    of(
      () => -1,
      () => -1,
    ),
    undefined,
  );
  assert.equal(
    of(() => 0, bit),
    undefined,
  );
});

test('a sampling exporter is asked only for what it must have seen', () => {
  const small = sample([{ path: 0 }]).map((row) => ({ ...row, outPackets: 700, inPackets: 900 }));
  const { pairs } = comparePaths([...small, ...sample([{ path: 1, rate: 100, passes: (n) => n < 20 }])]);
  assert.deepEqual(pairs[0].out[0], { comparable: 0, share: 0 });
  assert.deepEqual(pairs[0].in[0], { comparable: 240, share: 0.5 });
  // The unsampled one must show whatever the other does.
  assert.deepEqual(pairs[0].out[1], { comparable: 120, share: 1 });
});

test('two ways, then little sampling, then more conversations, then order of address: the first that differs elects', () => {
  const elected = (a: Omit<Showing, 'path'>, b: Omit<Showing, 'path'>) =>
    said(
      look(
        [
          { path: 0, ...a },
          { path: 1, ...b },
        ],
        [],
      ).rows,
    );
  assert.deepEqual(elected({ in: false }, { rate: 100 }), ['1 of 2']);
  assert.deepEqual(elected({ rate: 10 }, { passes: (n) => n < 10 }), ['1 of 2']);
  assert.deepEqual(elected({ passes: (n) => n < 10 }, {}), ['1 of 2']);
  assert.deepEqual(elected({}, {}), ['2 of 1']);
});

test('too few conversations, too few slots and what is shared by a few only is no pair', () => {
  assert.deepEqual(look([{ path: 0 }, { path: 1 }], [], 0, 1).rows, []);
  const once = sample([{ path: 0 }, { path: 1 }]).filter(({ slot, path }) => path === 0 || slot < 2);
  const compared = { ...comparePaths(once), names, fromMs: NOW - 30 * MINUTE, untilMs: NOW };
  assert.deepEqual(
    elect(compared, [], () => 0),
    [],
  );
  assert.deepEqual(
    look(
      [
        { path: 0, passes: (n) => n < 25 },
        { path: 1, passes: (n) => n >= 12 },
      ],
      [],
    ).rows,
    [],
  );
});

test('a pair begins when both were there, at most 14 days ago, and ends after three looks that find them different', () => {
  const both: Showing[] = [{ path: 0 }, { path: 1 }];
  const first = look(both, []);
  assert.equal(first.rows[0].sinceMs, NOW - 100 * MINUTE);
  const other: Showing[] = [{ path: 0 }, { path: 1, ports: (n) => bit(n + 1) }];
  const second = look(other, first.open, 1);
  assert.equal(second.open[0].missed, 1);
  const third = look(other, second.open, 2);
  // One look that finds them the same begins the count anew.
  assert.equal(look(both, third.open, 3).open[0].missed, 0);
  const fourth = look(other, third.open, 3);
  assert.deepEqual(fourth.open, []);
  assert.equal(fourth.rows[0].untilMs, NOW + 15 * MINUTE - 30 * MINUTE);
  const apart: Showing[] = [
    { path: 0, passes: (n) => n < 20 },
    { path: 1, passes: (n) => n >= 20 },
  ];
  assert.equal(look(apart, first.open, 1).open[0].missed, 1);
});

test('one that is silent stays in the pair for a day', () => {
  const { open } = look([{ path: 0 }, { path: 1 }], []);
  const later = look([{ path: 1 }], open, 12);
  assert.deepEqual(later.open, open);
  const gone = look([{ path: 1 }], open, 24 * 12 + 1);
  assert.deepEqual(gone.open, []);
  assert.equal(gone.rows[0].untilMs, NOW);
});

test('the election turns around only when another has been the better for three looks', () => {
  const start = look([{ path: 0 }, { path: 1 }], []);
  assert.deepEqual(said(start.open), ['2 of 1']);
  const worse: Showing[] = [{ path: 0, rate: 100 }, { path: 1 }];
  const one = look(worse, start.open, 1);
  const back = look([{ path: 0 }, { path: 1 }], one.open, 2);
  assert.deepEqual([said(back.open), back.open[0].challenged], [['2 of 1'], 0]);
  const two = look(worse, one.open, 2);
  assert.deepEqual(said(two.open), ['2 of 1']);
  const three = look(worse, two.open, 3);
  assert.deepEqual(said(three.open), ['1 of 2']);
  const old = three.rows.find(({ untilMs }) => untilMs !== undefined)!;
  assert.deepEqual([said([old]), old.untilMs], [['2 of 1'], NOW + 15 * MINUTE]);
  assert.equal(three.open[0].sinceMs, NOW + 15 * MINUTE);
  // More conversations than the elected shows is no reason.
  const fewer: Showing[] = [{ path: 0, passes: (n) => n < 10 }, { path: 1 }];
  let state = start.open;
  for (let run = 1; run < 6; run++) state = look(fewer, state, run).open;
  assert.deepEqual(said(state), ['2 of 1']);
});

test('of three, each that comes later in the order is left out where any before it shows the same: no circle', () => {
  const all: Showing[] = [{ path: 2, rate: 10 }, { path: 0 }, { path: 1, passes: (n) => n < 30 }];
  const { open } = look(all, []);
  assert.deepEqual(said(open), ['2 of 1', '3 of 1', '3 of 2']);
  // A newcomer comes last, however fit, until it has been the better for three looks.
  const sampled: Showing[] = all.map((one) => ({ ...one, rate: 10 }));
  let state = look(sampled, [], 0).open;
  const before = said(state);
  const withBest: Showing[] = [...sampled, { path: 3 }];
  for (let run = 1; run <= 2; run++) {
    state = look(withBest, state, run).open;
    assert.deepEqual(said(state), [...before, '4 of 1', '4 of 2', '4 of 3'].sort());
  }
  state = look(withBest, state, 3).open;
  assert.ok(
    said(state).every((text) => !text.startsWith('4 ')),
    said(state).join(),
  );
  for (const one of state) assert.ok(!said(state).includes(`${one.elected.interface} of ${one.interface}`));
});

test('rows in force at other times become pieces of time', () => {
  const base = { ...look([{ path: 0 }, { path: 1 }], []).rows[0] };
  const [elected, other] = [names[0], names[2]];
  const pieces = shadowsOf([
    { ...base, elected, sinceMs: 1000_000, untilMs: 3000_000, shareIn: 0 },
    { ...base, elected: other, sinceMs: 2000_000, untilMs: undefined, samplingRate: 10, isWhole: false },
  ]);
  assert.deepEqual(
    pieces.map(({ since, until, electors, out, in: back, samplingRate, isWhole }) => [
      since,
      until,
      electors.map(({ path }) => path.interface),
      out,
      back,
      samplingRate,
      isWhole,
    ]),
    [
      [1000, 2000, [1], true, false, 1, true],
      [2000, 3000, [1, 3], true, true, 10, false],
      [3000, 0xffff_ffff, [3], true, true, 10, false],
    ],
  );
});
