import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRuleSets } from '../../../src/changes/diff.ts';
import { DEFAULT_INTERNAL } from '../../../src/model/site.ts';
import { ADDRESSES, entries, policy, read, section } from './entries.ts';

const SITE = { internal: DEFAULT_INTERNAL };
const vip = (more = '', mapped = '10.2.0.80', extip = '203.0.113.80', extintf = 'wan') =>
  section('firewall vip', { web: `extip ${extip}\nmappedip ${mapped}\nextintf ${extintf}\n${more}` });
const published = section('firewall policy', { 1: policy('wan', 'dmz', 'all', 'web') });

test('a VIP acts only where an enabled policy has it as destination', () => {
  assert.deepEqual(entries(vip() + published, 'destination-nat'), [
    'translate any from 0.0.0.0/0 to 203.0.113.80 in wan => destination 10.2.0.80',
  ]);
  assert.deepEqual(entries(vip(), 'destination-nat'), []);
  const off = section('firewall policy', { 1: policy('wan', 'dmz', 'all', 'web', 'status disable') });
  assert.deepEqual(entries(vip() + off, 'destination-nat'), []);
  assert.equal(read(vip() + off).rules.find(({ key }) => key === 'policy 1')?.enabled, false);
  const byAddress = section('firewall policy', { 1: policy('wan', 'dmz', 'all', 'server') });
  assert.deepEqual(entries(ADDRESSES + vip() + byAddress, 'destination-nat'), []);
  const grouped = section('firewall vipgrp', { 'all-web': 'member web' });
  const byGroup = section('firewall policy', { 1: policy('wan', 'dmz', 'all', 'all-web') });
  assert.equal(entries(vip() + grouped + byGroup, 'destination-nat').length, 1);
});

test('with central NAT a VIP acts by itself, and NAT of policies is dead', () => {
  const central = 'config system settings\n    set central-nat enable\nend\n';
  const out = section('firewall policy', { 2: policy('lan', 'wan', 'lan', 'all', 'nat enable') });
  assert.equal(entries(central + vip(), 'destination-nat').length, 1);
  assert.equal(entries(central + vip('status disable'), 'destination-nat').length, 0);
  assert.deepEqual(entries(ADDRESSES + central + out, 'source-nat'), []);
  assert.equal(entries(ADDRESSES + out, 'source-nat').length, 1);
});

test('policy-based mode has central NAT, whatever the policies say', () => {
  const mode = 'config system settings\n    set ngfw-mode policy-based\nend\n';
  const out = section('firewall policy', { 2: policy('lan', 'wan', 'lan', 'all', 'nat enable') });
  const map = section('firewall central-snat-map', {
    1: 'srcintf lan\ndstintf wan\norig-addr lan\ndst-addr all',
  });
  assert.deepEqual(entries(ADDRESSES + mode + out, 'source-nat'), []);
  assert.equal(entries(ADDRESSES + mode + map + out, 'source-nat').length, 1);
  assert.equal(entries(ADDRESSES + map + out, 'source-nat')[0].includes('in lan out wan => source'), true);
});

test('without central NAT the central table is not looked at', () => {
  const map = section('firewall central-snat-map', {
    1: 'srcintf lan\ndstintf wan\norig-addr lan\ndst-addr all',
  });
  assert.deepEqual(entries(ADDRESSES + map, 'source-nat'), []);
  assert.equal(read(ADDRESSES + map).rules.length, 1);
});

test('a policy to addresses meets what a VIP translated only by match-vip', () => {
  const deny = (more: string, version = '7.0.1') =>
    `#config-version=FGT60F-${version}-FW-build1-1:opmode=0\n` +
    section('firewall policy', {
      9: `srcintf wan\ndstintf any\nsrcaddr all\ndstaddr all\nservice ALL\nschedule always\n${more}`,
    });
  const first = (text: string) => entries(text, 'filter')[0];
  assert.equal(first(deny('')), 'drop any from 0.0.0.0/0 to 0.0.0.0/0 in wan unless translated');
  assert.equal(first(deny('match-vip enable')), 'drop any from 0.0.0.0/0 to 0.0.0.0/0 in wan');
  assert.equal(
    first(deny('match-vip-only enable')),
    'drop any from 0.0.0.0/0 to 0.0.0.0/0 in wan if translated',
  );
  assert.equal(first(deny('', '7.2.4')), 'drop any from 0.0.0.0/0 to 0.0.0.0/0 in wan');
  assert.equal(first(deny('', '7.10.0')), 'drop any from 0.0.0.0/0 to 0.0.0.0/0 in wan');
  assert.match(first(deny('match-vip disable', '7.4.0')), /unless translated$/);
});

test('the service of a policy is compared with the mapped port', () => {
  const forward = vip('portforward enable\nextport 80\nmappedport 8080');
  const service = section('firewall service custom', { inner: 'tcp-portrange 8080' });
  const by = (name: string) =>
    entries(
      forward +
        service +
        section('firewall policy', {
          1: policy('wan', 'dmz', 'all', 'web').replace('service ALL', `service ${name}`),
        }),
      'filter',
    );
  assert.deepEqual(by('inner'), ['accept tcp/8080 from 0.0.0.0/0 to 10.2.0.80 in wan out dmz if translated']);
  assert.deepEqual(by('HTTP'), []);
});

test('a VIP on the inside with a public mapped address is a relay', () => {
  const before = ADDRESSES + vip('', '10.2.0.80', '10.1.0.9', 'lan');
  const after = ADDRESSES + vip('', '198.51.100.9', '10.1.0.9', 'lan');
  const policies = section('firewall policy', { 1: policy('lan', 'any', 'lan', 'web') });
  const changes = diffRuleSets(read(before + policies), read(after + policies), SITE);
  assert.deepEqual(
    changes.map(({ ruleKey, kind, class: of }) => [ruleKey, kind, of]).sort(),
    [
      ['policy 1', 'modified', 'egress-relay'],
      ['vip web', 'modified', 'egress-relay'],
    ].sort(),
  );
  const [opening] = changes[0].opens;
  assert.deepEqual(opening.destinationTranslation?.addresses, { v4: [0xc6336409, 0xc6336409], v6: [] });
});

test('a relay by an edited address object alone shows at the policy', () => {
  const text = (target: string) =>
    section('firewall address', {
      lan: 'subnet 10.1.0.0 255.255.255.0',
      'drop-box': `subnet ${target} 255.255.255.255`,
    }) +
    section('firewall addrgrp', { targets: 'member drop-box' }) +
    section('firewall policy', { 1: policy('lan', 'wan', 'lan', 'targets') });
  const changes = diffRuleSets(read(text('10.9.9.9')), read(text('198.51.100.9')), SITE);
  assert.deepEqual(
    changes.map(({ ruleKey, kind, class: of }) => [ruleKey, kind, of]),
    [['policy 1', 'modified', 'egress-permit']],
  );
});

test('a range keeps its offset, a port range its ports, a pool of servers is a choice', () => {
  const range = section('firewall vip', {
    web: 'extip 203.0.113.16-203.0.113.31\nmappedip "10.2.0.16-10.2.0.31"\nextintf any',
  });
  assert.deepEqual(entries(range + published, 'destination-nat'), [
    'translate any from 0.0.0.0/0 to 203.0.113.16/28 => destination 10.2.0.16/28 with offset',
  ]);
  const ports = vip('portforward enable\nprotocol udp\nextport 5000-5009\nmappedport 6000-6009');
  assert.deepEqual(entries(ports + published, 'destination-nat'), [
    'translate udp/5000-5009 from 0.0.0.0/0 to 203.0.113.80 in wan => destination 10.2.0.80:6000-6009',
  ]);
});

test('one address for one also goes out under the external address; a port forward does not', () => {
  const out = section('firewall policy', {
    1: policy('wan', 'dmz', 'all', 'web'),
    2: policy('dmz', 'wan', 'all', 'all', 'nat enable'),
  });
  assert.deepEqual(entries(vip() + out, 'source-nat').slice(1), [
    'translate any from 10.2.0.80 to 0.0.0.0/0 in dmz out wan => source 203.0.113.80 unless translated'.replace(
      ' unless',
      ' with offset unless',
    ),
    'translate any from 0.0.0.0/0 to 0.0.0.0/0 in dmz out wan => source unless translated',
  ]);
  const forward = vip('portforward enable\nextport 80\nmappedport 80');
  assert.equal(entries(forward + out, 'source-nat').length, 2);
});
