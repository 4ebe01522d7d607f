import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ciscoAsa } from '../../../devices/cisco-asa.ts';
import { entries, read, SIDES, unread } from './entries.ts';

const part = (name: string, address: string) => `ASA Version 9.12(4) <context>
hostname ${name}
interface Gi0
 nameif outside
 security-level 0
object network H
 host 10.0.0.5
 nat (any,outside) static ${address}
`;
const keys = (text: string) =>
  read(text)
    .rules.filter(({ kind }) => kind === 'nat')
    .map(({ key, context }) => `${context.vrf} ${key}`);

test('contexts are told apart, by command, by heading or by their own version line', () => {
  const [red, blue] = [part('red', '203.0.113.5'), part('blue', '203.0.113.6')];
  const expected = ['red red/nat:object:H', 'blue blue/nat:object:H'];
  assert.deepEqual(keys(red + blue), expected);
  assert.deepEqual(
    keys(`fw/act# changeto context red\n${red}fw/red/act# changeto context blue\n${blue}`),
    expected,
  );
  assert.deepEqual(keys(`${blue}! context red\n${red}! context blue\n${blue}`), expected);
  assert.deepEqual(keys(red), ['undefined nat:object:H']);
});

test('a context that the system names and the text lacks is unread', () => {
  const system = `ASA Version 9.12(4) <system>\ncontext red\n  config-url disk0:/red.cfg\ncontext gone\n  config-url disk0:/gone.cfg\n`;
  assert.deepEqual(unread(`${system}${part('red', '203.0.113.5')}`), [
    'context gone',
    'config-url disk0:/gone.cfg',
  ]);
});

test('who changed what: commands of configuration, not those that show', () => {
  const counts = (line: string) => ciscoAsa.changedBy.some((pattern) => pattern.test(line));
  assert.ok(
    counts("%ASA-5-111008: User 'ops' executed the 'access-list L extended permit ip any any' command."),
  );
  assert.ok(
    counts(
      "Nov 21 01:00:00 fw %ASA-5-111010: User 'ops', running 'CLI' from IP 10.0.0.7, executed 'nat (inside,outside) source static A B'",
    ),
  );
  assert.ok(!counts("%ASA-7-111009: User 'ops' executed cmd: show running-config"));
  assert.ok(!counts("%ASA-5-111008: User 'ops' executed the 'show version' command."));
  assert.ok(
    !counts(
      "%ASA-5-111010: User 'ops', running 'CLI' from IP 10.0.0.7, executed 'more system:running-config'",
    ),
  );
});

test('the header names who wrote the configuration', () => {
  const line = ': Written by netops at 14:02:11.004 UTC Mon Mar 2 2026';
  const groups = ciscoAsa.changeHeaders!.map((pattern) => pattern.exec(line)?.groups).find(Boolean);
  assert.deepEqual({ ...groups }, { user: 'netops', time: '14:02:11.004 UTC Mon Mar 2 2026' });
});

test('prompts with contexts and roles, and lines that are none', () => {
  for (const prompt of ['fw> ', 'fw# ', 'fw/ctx/act# ', 'fw/pri/stby# ', 'fw/admin(config)# '])
    assert.match(prompt, ciscoAsa.session.prompt);
  for (const line of [': end', 'hostname fw', 'banner motd # stay out #x', '<--- More --->'])
    assert.doesNotMatch(line, ciscoAsa.session.prompt);
});

test('policy routing and tunnels: both ways', () => {
  const map = (more: string) =>
    `${SIDES.replace(' nameif inside', ' policy-route route-map R\n nameif inside')}access-list S extended deny tcp any4 any4 eq 22
access-list S extended permit tcp any4 any4
route-map R permit 10\n match ip address S\n ${more}\n`;
  assert.deepEqual(entries(map('set ip next-hop 192.0.2.9'), 'redirect'), [
    'translate tcp/0-21,tcp/23-65535 from 0.0.0.0/0 to 0.0.0.0/0 => policy-route 192.0.2.9',
  ]);
  assert.match(
    entries(map('set ip default next-hop 192.0.2.9'), 'redirect')[0],
    / if only where no route leads there$/,
  );
  assert.deepEqual(
    entries(map('set ip next-hop 192.0.2.9').replace('policy-route route-map R', ''), 'redirect'),
    [],
  );
  const tunnel =
    'interface Tunnel1\n nameif vti\n ip address 10.255.0.1 255.255.255.252\n tunnel destination 198.51.100.9\n';
  assert.deepEqual(entries(`${SIDES}${tunnel}route vti 10.8.0.0 255.255.0.0 10.255.0.2 1\n`, 'redirect'), [
    'translate any from 0.0.0.0/0 to 10.8.0.0/16 => tunnel 198.51.100.9',
  ]);
  assert.deepEqual(
    entries(`${SIDES}${tunnel}route inside 10.8.0.0 255.255.0.0 10.0.0.2 1\n`, 'redirect'),
    [],
  );
});

test('hostile text is read without an exception and in time', () => {
  const started = performance.now();
  const nested = Array.from(
    { length: 3_000 },
    (_, i) => `object-group network G${i}\n group-object G${i + 1}`,
  ).join('\n');
  for (const text of [
    'nat ('.repeat(200_000),
    'access-list L extended permit '.repeat(50_000),
    `object network ${'x'.repeat(500_000)}\n nat (a,b) static 1.2.3.4`,
    'object-group network G\n group-object G\naccess-list L extended permit ip object-group G any\n',
    `${nested}\naccess-list L extended permit ip object-group G0 any\naccess-group L global\n`,
    Array.from({ length: 20_000 }, (_, i) => `interface Gi${i}\n nameif n${i}`).join('\n'),
    'nat (a,b) source\nnat\nobject\nobject-group\naccess-list\naccess-group\nstatic (\nroute\ncrypto map\nroute-map\nname\nobject network constructor\n host 1.1.1.1',
    'object-group service toString\n service-object tcp destination eq hasOwnProperty\naccess-list __proto__ extended permit constructor any any',
  ])
    read(text);
  assert.ok(performance.now() - started < 5_000);
});
