import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diff, entries, ZONES } from './entries.ts';

const PBF = [
  'from zone in',
  'source 10.1.4.0/24',
  'destination any',
  'service any',
  'application any',
  'action forward egress-interface ethernet1/1',
  'action forward nexthop ip-address 203.0.113.1',
]
  .map((line) => `set rulebase pbf rules f ${line}`)
  .join('\n');
const TUNNEL = `
set network ike gateway g peer-address ip 203.0.113.200
set network tunnel ipsec t tunnel-interface tunnel.1
set network tunnel ipsec t auto-key ike-gateway g
set zone vpn network layer3 tunnel.1`;
const ALLOW = ['from any', 'to any', 'action allow'].map((line) => `set rulebase security rules a ${line}`).join('\n');
const ROUTE =
  'set network virtual-router vr routing-table ip static-route s interface tunnel.1\nset network virtual-router vr routing-table ip static-route s destination 192.0.2.0/24';

test('forwarding by policy is met by what leaves through its interface', () => {
  assert.deepEqual(entries(PBF, 'redirect'), [
    'translate any from 10.1.4.0/24 to 0.0.0.0/0 in ethernet1/2 out ethernet1/1 => policy-route 203.0.113.1',
  ]);
  assert.deepEqual(entries(`${PBF}\nset rulebase pbf rules f disabled yes`, 'redirect'), []);
  const [change] = diff(`${ZONES}${ALLOW}`, `${ZONES}${ALLOW}\n${PBF}`);
  assert.deepEqual([change.kind, change.class], ['added', 'egress-relay']);
});

test('a tunnel takes what is routed into it; with learnt routes all that leaves by it', () => {
  const takes = 'translate any from any to any out tunnel.1 => tunnel 203.0.113.200';
  const routed = 'translate any from 0.0.0.0/0 to 192.0.2.0/24 out tunnel.1 => tunnel 203.0.113.200';
  // Without a router in the text nobody knows what is routed.
  assert.deepEqual(entries(TUNNEL, 'redirect'), [takes]);
  assert.deepEqual(entries(`${TUNNEL}\nset network virtual-router vr interface tunnel.1`, 'redirect'), []);
  assert.deepEqual(entries(`${TUNNEL}\n${ROUTE}`, 'redirect'), [routed]);
  assert.deepEqual(
    entries(`${TUNNEL}\n${ROUTE}\nset network virtual-router vr protocol bgp enable yes`, 'redirect'),
    [routed, takes],
  );
  assert.deepEqual(entries(`${TUNNEL}\n${ROUTE}\nset network tunnel ipsec t disabled yes`, 'redirect'), []);
  assert.deepEqual(entries(`${TUNNEL}\n${ROUTE}\nset network ike gateway g disabled yes`, 'redirect'), []);
});

test('a route into a tunnel to the outside, and a peer that moves, are relays', () => {
  const base = `${ZONES}${TUNNEL}\n${ROUTE.replace('192.0.2.0/24', '10.200.0.0/16')}\n${ALLOW}`;
  const more = ROUTE.replaceAll(' s ', ' more ');
  assert.deepEqual(
    diff(base, `${base}\n${more}`).map(({ class: kind, ruleKey }) => [kind, ruleKey]),
    [['egress-relay', 'routes vr more']],
  );
  const moved = diff(base, base.replace('203.0.113.200', '198.51.100.99'));
  assert.ok(moved.some(({ class: kind, ruleKey }) => kind === 'egress-relay' && ruleKey === 'routes vr s'));
});

test('what is decrypted is copied only where the profile names an interface', () => {
  const rule = ['from in', 'to out', 'action decrypt', 'profile p', 'service service-https']
    .map((line) => `set rulebase decryption rules d ${line}`)
    .join('\n');
  assert.deepEqual(entries(rule, 'redirect'), []);
  assert.deepEqual(entries(`${rule}\nset profiles decryption p interface ethernet1/7`, 'redirect'), [
    'translate tcp/443 from any to any in ethernet1/2 out ethernet1/1 => mirror',
  ]);
  const quiet = rule.replace('action decrypt', 'action no-decrypt');
  assert.deepEqual(entries(`${quiet}\nset profiles decryption p interface ethernet1/7`, 'redirect'), []);
});
