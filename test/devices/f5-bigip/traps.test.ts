import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { f5Bigip } from '../../../devices/f5-bigip.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet, hasAddress, parseAddress } from '../../../src/model/addresses.ts';
import { hasService } from '../../../src/model/services.ts';

const TEXT = readFileSync(join(import.meta.dirname, 'relay_16.1/snapshot.cfg'), 'utf8');
const SITE = { internal: addressSet('10.0.0.0/8', '198.51.100.0/24') };

/** Kind, class and key of each change that the replacement brings. */
function changed(from: string | RegExp, to: string, before = TEXT): string[] {
  const after = before.replace(from, to);
  assert.notEqual(after, before);
  return diffRuleSets(f5Bigip.read(before), f5Bigip.read(after), SITE).map(
    (change) => `${change.kind} ${change.class} ${change.ruleKey}`,
  );
}

test('a pool member that is edited alone makes a relay of the virtual server', () => {
  // Its source is anybody, and so whoever is inside too; a server that is switched off is told of as well.
  assert.deepEqual(changed('            address 10.20.0.11\n', '            address 203.0.113.77\n'), [
    'modified egress-relay virtual:vs_web',
    'modified internal virtual:vs_old',
  ]);
  assert.deepEqual(changed(/203\.0\.113\.50/g, '203.0.113.51'), ['modified egress-relay virtual:vs_relay']);
});

test('a virtual server that is enabled opens, one that is disabled closes', () => {
  assert.equal(changed('    disabled\n', '')[0], 'enabled inbound-forward virtual:vs_old');
  assert.equal(
    changed('    destination /Common/10.20.0.250:8443\n', '    destination /Common/10.20.0.250:8443\n    disabled\n')[0],
    'disabled egress-relay virtual:vs_relay',
  );
});

test('the most specific listener takes a connection, wherever it stands', () => {
  const wide = 'ltm virtual /Common/aaa_wide {\n    destination /Common/10.20.0.0:0\n    mask 255.255.0.0\n    pool /Common/web\n}\n';
  const text = TEXT.replace('ltm virtual /Common/vs_web', `${wide}ltm virtual /Common/vs_web`);
  const policy = f5Bigip.read(text).policies.find(({ id }) => id === 'listeners:destination-nat')!;
  const keys = policy.entries.map(({ ruleKey }) => ruleKey);
  assert.ok(keys.indexOf('virtual:vs_relay') < keys.indexOf('virtual:aaa_wide'));
});

test('scripts are no configuration, and what is in them opens nothing', () => {
  const rules = f5Bigip.read(TEXT).rules.map(({ key }) => key);
  assert.ok(rules.includes('virtual:vs_relay'), 'the brace in the script ends nothing');
  assert.deepEqual(changed('# a brace that closes nothing } and', '# two braces } } and'), []);
});

test('times, numbers of servers and the order of objects are no change', () => {
  assert.deepEqual(changed(/vs-index 2/, 'vs-index 9'), []);
  const [, self] = /(net self \/Common\/self_external \{[^}]*\}\n)/.exec(TEXT)!;
  assert.deepEqual(changed(self, '', TEXT).length, 0);
});

test('the firewall policy of a listener is not asked of what a more specific one takes', () => {
  const { policies } = f5Bigip.read(TEXT);
  const policy = policies.find(({ id }) => id === 'firewall:vs_out')!;
  assert.ok(policy.entries.length > 3);
  assert.equal(
    policy.entries.some(
      ({ match }) =>
        hasAddress(match.destinations, parseAddress('10.20.0.250')) &&
        hasService(match.services, 6, 8443) &&
        hasAddress(match.sources, parseAddress('10.20.0.5')),
    ),
    false,
  );
});

test('an address of an AFM list that is taken out opens what the policy dropped', () => {
  const found = changed('        198.18.0.0/15 { }\n', '');
  assert.deepEqual(found, ['modified egress-permit firewall:policy:outbound:no_bad']);
});
