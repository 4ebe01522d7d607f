import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type An0926Parameters, an0926 } from '../../src/analytics/an0926.ts';
import { ruleText } from '../../src/analytics/an0926-text.ts';
import { withOverrides } from '../../src/analytics/index.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Opening } from '../../src/model/change.ts';
import type { ChangeFacts, Evidence } from '../../src/model/watch.ts';
import { readRules } from '../../src/rules/read.ts';
import { evidence, facts, group, minutes, question, relay, T0 } from './fixtures.ts';

const judge = (f: ChangeFacts, e: Evidence, overrides: Partial<An0926Parameters> = {}) =>
  an0926.judge(f, question, e, withOverrides(an0926, overrides));

test('a relay without a ticket and without traffic is low, once', () => {
  const verdict = judge(facts(), evidence([]));
  assert.equal(verdict.severity, 'low');
  assert.ok(verdict.missingStages.some((stage) => stage.startsWith('outbound spike')));
});

test('with a spike that few packets answer it is high', () => {
  const verdict = judge(facts(), evidence([group(60_000, 30)]));
  assert.equal(verdict.severity, 'high');
  assert.ok(verdict.returnRatio! < 0.05);
  assert.deepEqual(verdict.missingStages, []);
  assert.match(verdict.narrative, /203\.0\.113\.50 \(AS64500 EXAMPLE-VPS, vps\)/);
});

test('the narrative names the opening that the change is graded by, not its return direction, and inside hosts', () => {
  const { traffic, ...back } = relay;
  const inbound: Opening = {
    ...back,
    traffic: { ...traffic, sources: addressSet('203.0.113.50'), destinations: addressSet('10.20.0.0/24') },
    destinationTranslation: undefined,
    class: 'inbound-forward',
  };
  const others = { ...relay, traffic: { ...traffic, sources: addressSet('0.0.0.0-10.19.255.255') } };
  const change = { ...facts().change, opens: [inbound, others, relay] };
  const { narrative } = judge(facts({ change }), evidence([]));
  assert.match(narrative, /lets 10\.20\.0\.0\/24 reach 203\.0\.113\.50 port 443/);
});

test('a two-way download of the same size stays low', () => {
  assert.equal(judge(facts(), evidence([group(60_000, 50_000)])).severity, 'low');
});

test('an approved forward to the destination makes no alert', () => {
  const approved = facts({
    ticket: { state: 'approved', number: 'CHG1', reason: 'fits' },
    approvedForward: { id: 'f', reason: 'backup', widerThanApproved: false },
  });
  assert.equal(judge(approved, evidence([])).severity, undefined);
  assert.equal(judge(approved, evidence([group(60_000, 30)])).severity, undefined);
});

test('an approved ticket alone lowers the severity', () => {
  const verdict = judge(
    facts({ ticket: { state: 'approved', number: 'CHG1', reason: 'fits' } }),
    evidence([group(60_000, 30)]),
  );
  assert.equal(verdict.severity, 'medium');
});

test('where the return path is not visible no low return is claimed', () => {
  const verdict = judge(facts(), evidence([group(60_000, 0, { returnVisible: false })]));
  assert.equal(verdict.returnRatio, undefined);
  assert.ok(verdict.notes.some((note) => note.includes('not visible')));
  assert.ok(!verdict.stages.some((stage) => stage.name === 'few return packets'));
  assert.notEqual(verdict.severity, 'high');
});

test('under sampling, too few expected returns give no verdict on returns', () => {
  const verdict = judge(
    facts(),
    evidence([group(60_000, 0, { maxSamplingRate: 100_000, sampledOutPackets: 3, sampledInPackets: 0 })]),
  );
  assert.ok(!verdict.stages.some((stage) => stage.name === 'few return packets'));
});

test("below FlowThreshold nothing is a spike; the threshold is ATT&CK's and replaced whole", () => {
  assert.equal(judge(facts(), evidence([group(500, 0, { sampledOutPackets: 2500 })])).severity, 'low');
  assert.equal(
    judge(facts(), evidence([group(500, 0)]), { FlowThreshold: { packetsPerMinute: 400 } }).severity,
    'high',
  );
});

test('a spike that the baseline often shows is none', () => {
  const busy = group(60_000, 30, { baseline: minutes(T0 - 600 * 60_000, 600, 55_000, 20) });
  assert.equal(judge(facts(), evidence([busy])).severity, 'low');
});

test('a permit to anywhere alone is no alert, with the spike it is', () => {
  const permit = facts({ class: 'egress-permit' });
  assert.equal(judge(permit, evidence([])).severity, undefined);
  assert.equal(judge(permit, evidence([group(60_000, 30)])).severity, 'high');
});

test('ConfigChangeUser: a user outside the expected ones weighs', () => {
  const byMallory = facts({ actors: [{ source: 'syslog', user: 'mallory', confidence: 0.9, raw: '' }] });
  const weight = (p: Partial<An0926Parameters>) => judge(byMallory, evidence([]), p).score;
  assert.ok(weight({ ConfigChangeUser: ['ansible'] }) > weight({ ConfigChangeUser: ['mallory'] }));
});

test('unknown parameters are refused by name', () => {
  assert.throws(() => withOverrides(an0926, { FlowThresold: {} } as never), /no parameter FlowThresold/);
});

test('a rule that the device writes as JSON is said in words, others by their own line', () => {
  const { ruleSet } = readRules(
    readFileSync(new URL('../devices/linux-nftables/router_debian12/snapshot.cfg', import.meta.url), 'utf8'),
    'linux-nftables',
  );
  const rule = ruleSet.rules.find((one) => one.translation?.kind === 'destination');
  assert.ok(rule);
  assert.doesNotMatch(ruleText(rule), /[{}]/);
  assert.match(ruleText(rule), /^ip nat prerouting: dnat .* to destination /);
  assert.equal(
    ruleText({ ...rule, lines: [{ number: 1, text: ' ip nat outside source static ' }] }),
    'ip nat outside source static',
  );
});
