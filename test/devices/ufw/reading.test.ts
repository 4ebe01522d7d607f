import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ufw } from '../../../devices/ufw.ts';
import { recognise } from '../../../devices/index.ts';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { addressSet } from '../../../src/model/addresses.ts';
import { entryText } from '../../../src/rules/describe.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, name, 'snapshot.cfg'), 'utf8');
const router = fixture('router_0.36.2');
const off = fixture('off_0.36.2');
const site = { internal: addressSet('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16') };
const diff = (before: string, after: string) => diffRuleSets(ufw.read(before), ufw.read(after), site);
const entries = (text: string, id = 'ip filter FORWARD') =>
  ufw.read(text).policies.find((policy) => policy.id === id)?.entries.map(entryText) ?? [];

test('rules of users stand behind those of before.rules and in front of the policy', () => {
  assert.deepEqual(entries(router).slice(-4), [
    'accept any from 0.0.0.0/0 to 0.0.0.0/0 in eth1 out eth0',
    'drop any from 0.0.0.0/0 to 198.51.100.66 in eth1 out eth0',
    'accept tcp/443 from 0.0.0.0/0 to 10.80.0.10 in eth0 out eth1',
    'drop any from 0.0.0.0/0 to 0.0.0.0/0',
  ]);
});

test('the forward policy is a setting: accept, drop and reject', () => {
  const policy = (value: string) => router.replace('DEFAULT_FORWARD_POLICY="DROP"', `DEFAULT_FORWARD_POLICY="${value}"`);
  assert.equal(entries(policy('REJECT')).at(-1), 'drop any from 0.0.0.0/0 to 0.0.0.0/0');
  assert.ok(!entries(policy('ACCEPT')).some((text) => text === 'drop any from 0.0.0.0/0 to 0.0.0.0/0'));
  const [opened] = diff(router, policy('ACCEPT'));
  assert.ok(opened.opens.length > 0);
});

test('NAT of before.rules: a relay is seen when it appears', () => {
  const line = /^-A PREROUTING -i eth1 .*\n/m;
  assert.match(router, line);
  const [appeared] = diff(router.replace(line, ''), router);
  assert.equal(appeared.class, 'egress-relay');
  assert.equal(appeared.after?.lines[0].text.startsWith('-A PREROUTING -i eth1'), true);
});

test('where ufw is off nothing acts; when it is enabled every rule says so', () => {
  const { rules, policies } = ufw.read(off);
  assert.deepEqual(policies, []);
  assert.ok(rules.length > 50 && rules.every(({ enabled }) => !enabled));
  const kinds = new Set(diff(off, off.replace('ENABLED=no', 'ENABLED=yes')).map(({ kind }) => kind));
  assert.deepEqual([...kinds], ['enabled']);
});

test('without IPv6 the files of IPv6 are not loaded', () => {
  assert.ok(entries(router, 'ip6 filter FORWARD').length > 0);
  assert.deepEqual(entries(router.replace('IPV6=yes', 'IPV6=no'), 'ip6 filter FORWARD'), []);
});

test('comments of tuples and names of application profiles', () => {
  const comments = ufw.read(router).rules.flatMap(({ comment }) => comment ?? []);
  assert.ok(comments.includes('web server') && comments.includes('dapp_OpenSSH'));
});

test('user.rules alone is known and read', () => {
  const user = router.slice(router.indexOf('# ufw file /etc/ufw/user.rules'), router.indexOf('# ufw file /etc/ufw/user6.rules'));
  const bare = user.slice(user.indexOf('\n') + 1);
  assert.equal(recognise(bare)?.vendor, 'ufw');
  assert.ok(entries(bare).includes('accept any from 0.0.0.0/0 to 0.0.0.0/0 in eth1 out eth0'));
});

test('a line that is none of iptables-restore is unread', () => {
  const text = router.replace('-A ufw-user-forward -i eth1 -o eth0 -j ACCEPT', 'permit everything');
  assert.deepEqual(ufw.read(text).unread.map((line) => line.text), ['permit everything']);
});
