import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes, entries, read, SIDES, unread } from './entries.ts';

const DMZ = 'interface Gi3\n nameif dmz\n security-level 100\n ip address 10.3.0.1 255.255.255.0\n';
const policy = (text: string, id: string) => read(text).policies.find((one) => one.id === id);
const filter = (line: string, more = '') =>
  entries(
    `${SIDES}${more}access-list L extended ${line}\naccess-group L in interface outside\n`,
    'filter',
  )[0];

test('without lists, connections go from a higher level to a lower one', () => {
  assert.deepEqual(entries(SIDES, 'filter'), [
    'accept any from any to any in Gi2 out Gi1,Gi2',
    'accept any from any to any in Gi1 out Gi1',
  ]);
  assert.equal(policy(SIDES, 'security-levels')!.otherwise, 'drop');
});

test('a list takes the place of levels on its interface; the global one comes last and everywhere', () => {
  const lists = `access-list OWN extended permit tcp any any eq 22
access-list ALL extended permit tcp any any eq 80
access-group OWN in interface inside\n`;
  assert.deepEqual(policy(SIDES + lists, 'security-levels')!.appliesTo.ingress.names, ['Gi1']);
  const text = `${SIDES}${lists}access-group ALL global\n`;
  assert.equal(policy(text, 'security-levels'), undefined);
  assert.equal(policy(text, 'access:inside:in')!.entries.length, 2);
  assert.deepEqual(policy(text, 'access:global')!.appliesTo.ingress, { except: true, names: ['Gi2'] });
});

test('equals and the way back need a permission of their own', () => {
  const equal = (lines: string) => policy(`${SIDES}${DMZ}${lines}`, 'same-security:100')!;
  assert.deepEqual(equal('').entries, []);
  assert.equal(equal('').otherwise, 'drop');
  const pairs = (lines: string) =>
    equal(lines).entries.map(({ match }) => `${match.ingress.names}>${match.egress.names}`);
  assert.deepEqual(pairs('same-security-traffic permit inter-interface\n'), ['Gi2>Gi3', 'Gi3>Gi2']);
  assert.deepEqual(pairs('same-security-traffic permit intra-interface\n'), ['Gi2>Gi2', 'Gi3>Gi3']);
  assert.ok(changes(SIDES + DMZ, `${SIDES}${DMZ}same-security-traffic permit inter-interface\n`).length > 0);
});

test('object-group stands at every place of an entry', () => {
  const groups = `object-group protocol P\n protocol-object tcp\n protocol-object udp
object-group network N\n network-object 10.0.0.0 255.255.255.0\n group-object M
object-group network M\n network-object host 10.1.0.1
object-group service S tcp-udp\n port-object eq 53
object-group service T\n service-object tcp destination range 80 81\n service-object object U
object service U\n service udp source eq 1 destination eq 2
object-group icmp-type I\n icmp-object echo\n`;
  assert.equal(
    filter('permit object-group P object-group N any4 object-group S', groups),
    'accept tcp/53,udp/53 from 10.0.0.0/24,10.1.0.1 to 0.0.0.0/0',
  );
  assert.equal(
    filter('permit object-group P any4 object-group S object-group N', groups),
    'accept tcp,udp from 0.0.0.0/0 port 53 to 10.0.0.0/24,10.1.0.1',
  );
  const text = `${SIDES}${groups}access-list L extended permit object-group T any4 object-group M\naccess-group L in interface outside\n`;
  assert.deepEqual(
    policy(text, 'access:outside:in')!.entries.map(({ match }) => match.services.length),
    [2, 2],
  );
  assert.equal(
    filter('permit icmp any4 any4 object-group I', groups),
    'accept icmp/2048-2303 from 0.0.0.0/0 to 0.0.0.0/0',
  );
});

test('forms of addresses and conditions', () => {
  assert.equal(filter('permit ip any host 10.0.0.9 log disable'), 'accept any from 0.0.0.0/0 to 10.0.0.9');
  assert.equal(filter('permit tcp any6 2001:db8::/32 eq www'), 'accept tcp/80 from ::/0 to 2001:db8::/32');
  assert.equal(
    filter('permit tcp any interface outside eq https'),
    'accept tcp/443 from 0.0.0.0/0 to 203.0.113.1',
  );
  assert.equal(
    filter('permit udp any4 any4 neq 53'),
    'accept udp/0-52,udp/54-65535 from 0.0.0.0/0 to 0.0.0.0/0',
  );
  assert.equal(
    filter('permit ip user LAB\\ann any4 any4'),
    'accept any from 0.0.0.0/0 to 0.0.0.0/0 if user LAB\\ann',
  );
  assert.equal(
    filter('permit ip any4 object F', 'object network F\n fqdn v4 www.example.com\n'),
    'accept any from 0.0.0.0/0 to 0.0.0.0/0 if fqdn www.example.com',
  );
  assert.equal(
    filter('permit ip any4 host web', 'name 10.0.0.80 web\n'),
    'accept any from 0.0.0.0/0 to 10.0.0.80',
  );
});

test('a list of the device itself or of nothing has no entry', () => {
  const list = 'access-list L extended permit tcp any any eq 22\n';
  const rules = (lines: string) => read(SIDES + list + lines);
  assert.equal(
    rules('').policies.some(({ id }) => id.startsWith('access:')),
    false,
  );
  const plane = rules('access-group L in interface outside control-plane\n');
  assert.equal(
    plane.policies.some(({ id }) => id.startsWith('access:')),
    false,
  );
  assert.deepEqual(plane.unread, []);
  assert.equal(
    rules('access-group L in interface outside per-user-override\n').policies[0].id,
    'access:outside:in',
  );
});

test('effect: an entry is enabled by leaving out `inactive`', () => {
  const text = (tail: string) =>
    `${SIDES}access-list L extended permit tcp any host 10.0.0.5 eq 3389${tail}\naccess-list L extended deny ip any any\naccess-group L in interface outside\n`;
  assert.deepEqual(changes(text(' inactive'), text('')), ['enabled inbound-forward']);
  assert.deepEqual(changes(text(' log'), text(' log disable')), []);
});

test('lines of lists that are not understood are listed', () => {
  assert.deepEqual(unread(`${SIDES}access-list L extended permit tcp any any sometimes`), [
    'access-list L extended permit tcp any any sometimes',
  ]);
});

test('nothing passes through an interface for management', () => {
  const text = `${SIDES}interface Ma0\n management-only\n nameif mgmt\n security-level 100\n`;
  assert.equal(policy(text, 'management-only:in')!.otherwise, 'drop');
  assert.equal(policy(SIDES, 'management-only:in'), undefined);
});

const VPN = `access-list V extended permit ip 10.0.0.0 255.255.255.0 10.9.0.0 255.255.0.0
access-list L extended deny ip any any
access-group L in interface outside
crypto map M 10 match address V
crypto map M 10 set peer 198.51.100.9
crypto map M interface outside\n`;

test('what a tunnel brings in passes lists by, unless it is told not to', () => {
  const first = (text: string) => entries(SIDES + text, 'filter')[0];
  assert.equal(first(VPN), 'accept any from 10.9.0.0/16 to 10.0.0.0/24 in Gi1');
  assert.equal(first(`${VPN}no sysopt connection permit-vpn\n`), 'drop any from any to any');
  assert.deepEqual(entries(SIDES + VPN, 'redirect'), [
    'translate any from 10.0.0.0/24 to 10.9.0.0/16 => tunnel 198.51.100.9',
  ]);
});

test('a dynamic map redirects what its list names, and without a list nothing', () => {
  const map = 'crypto map M 65535 ipsec-isakmp dynamic D\ncrypto map M interface outside\n';
  const set = 'crypto dynamic-map D 1 set ikev1 transform-set T\n';
  assert.deepEqual(entries(SIDES + set + map, 'redirect'), []);
  assert.equal(read(SIDES + set + map).rules.filter(({ kind }) => kind === 'tunnel').length, 1);
  const list = `${VPN.split('\n')[0]}\ncrypto dynamic-map D 1 match address V\n`;
  assert.deepEqual(entries(SIDES + list + map, 'redirect'), [
    'translate any from 10.0.0.0/24 to 10.9.0.0/16 => tunnel if far end of the tunnel is not in the configuration',
  ]);
});
