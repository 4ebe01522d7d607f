import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panos } from '../../../devices/panos.ts';
import { diff, entries, fixture, read, unread, ZONES } from './entries.ts';

const rule = (...lines: string[]) =>
  ['from in', 'to out', ...lines].map((line) => `set rulebase security rules r ${line}`).join('\n');
const first = (text: string) => entries(text, 'filter')[0];

test('defaults: within a zone what is not denied passes, between zones it does not; both can be overridden', () => {
  const within = 'accept any from any to any in ethernet1/1 out ethernet1/1';
  assert.deepEqual(entries('', 'filter'), [
    within,
    'accept any from any to any in ethernet1/2 out ethernet1/2',
    'drop any from any to any',
  ]);
  assert.equal(
    first('set rulebase default-security-rules rules intrazone-default action deny'),
    within.replace('accept', 'drop'),
  );
  assert.equal(
    entries('set rulebase default-security-rules rules interzone-default action allow', 'filter').at(-1),
    'accept any from any to any',
  );
});

test('applications: usual ports on application-default, a condition on other services and wherever they are denied', () => {
  assert.equal(
    first(rule('application [ ssh dns ]', 'service application-default', 'action allow')),
    'accept tcp/22,tcp/53,tcp/853,udp/53 from any to any in ethernet1/2 out ethernet1/1',
  );
  assert.equal(
    first(rule('application ssh', 'service service-https', 'action allow')),
    'accept tcp/443 from any to any in ethernet1/2 out ethernet1/1 if application ssh',
  );
  assert.equal(
    first(rule('application ssh', 'service any', 'action allow')),
    'accept tcp from any to any in ethernet1/2 out ethernet1/1 if application ssh',
  );
  assert.equal(
    first(rule('application ssh', 'service application-default', 'action deny')),
    'drop tcp/22 from any to any in ethernet1/2 out ethernet1/1 if application ssh',
  );
  assert.equal(
    first(rule('application any', 'service application-default', 'action allow')),
    'accept any from any to any in ethernet1/2 out ethernet1/1 if default ports of any application',
  );
  const unknown = entries(rule('application [ ssh made-up ]', 'service application-default', 'action allow'), 'filter');
  assert.deepEqual(unknown.slice(0, 2), [
    'accept tcp/22 from any to any in ethernet1/2 out ethernet1/1',
    'accept any from any to any in ethernet1/2 out ethernet1/1 if application made-up',
  ]);
});

test('an override gives a custom application its ports', () => {
  const text = `set application house category networking\n${rule('application house', 'service application-default', 'action allow')}`;
  assert.match(first(text), /if application house$/);
  const override = ['protocol tcp', 'port 7653', 'application house', 'from any', 'to any'].map(
    (line) => `set rulebase application-override rules o ${line}`,
  );
  assert.equal(first(`${text}\n${override.join('\n')}`), 'accept tcp/7653 from any to any in ethernet1/2 out ethernet1/1');
});

test('dynamic groups follow the tags of objects; without any they are not known', () => {
  const text = (filter: string) =>
    `set address a ip-netmask 192.0.2.1\nset address a tag [ red big ]
set address b ip-netmask 192.0.2.2\nset address b tag red
set address-group g dynamic filter "${filter}"
${rule('destination g', 'action allow')}`;
  const to = (filter: string) => / to (.*) in /.exec(first(text(filter)))?.[1];
  assert.equal(to("'red'"), '192.0.2.1-192.0.2.2');
  assert.equal(to("'red' and 'big'"), '192.0.2.1');
  assert.equal(to("'blue' or ('red' and 'big')"), '192.0.2.1');
  assert.match(first(text("'blue'")), /to any .* if dynamic group g: 'blue'$/);
  assert.match(first(text("'red' and (")), / if dynamic group g: /);
});

test('an edited group is a change of every rule that it reaches', () => {
  const text = `set address-group g static [ h1 h2 ]\nset address h1 ip-netmask 10.1.0.1\nset address h2 ip-netmask 10.1.0.2\n${rule('source g', 'action allow')}`;
  const [change, ...more] = diff(ZONES + text, ZONES + text.replace('10.1.0.2', '10.1.0.0/24'));
  assert.deepEqual([change.kind, change.ruleKey, more.length], ['modified', 'security vsys1 r', 0]);
  assert.deepEqual(diff(ZONES + text, ZONES + text.replace('[ h1 h2 ]', '[ h2 h1 ]')), []);
  assert.deepEqual(diff(ZONES + text, ZONES + text.replaceAll(/\bh2\b/g, 'other')), []);
});

test('an interface that moves to another zone changes what the rules of both let through', () => {
  const text = `${ZONES}set zone dmz network layer3 ethernet1/3\n${rule('action allow')}`;
  const changes = diff(text, text.replace('set zone dmz network', 'set zone in network'));
  const change = changes.find(({ ruleKey }) => ruleKey === 'security vsys1 r');
  assert.deepEqual(change?.opens[0].traffic.ingress, { except: false, names: ['ethernet1/3'] });
});

test('a negated list that is not all known is never surely outside', () => {
  const known = rule('negate-destination yes', 'destination 10.0.0.0/8', 'action deny');
  assert.match(first(known), /^drop any from 0.0.0.0\/0 to 0.0.0.0-9.255.255.255,11.0.0.0-255.255.255.255|^drop any from any to/);
  const unknown = `set address x fqdn x.example.net\n${rule('negate-destination yes', 'destination [ 10.0.0.0/8 x ]', 'action deny')}`;
  assert.match(first(unknown), /if address x is x\.example\.net$/);
});

test('groups that contain themselves, names that are nowhere and wildcards that are too wide are conditions', () => {
  assert.match(first(`set address-group a static a\n${rule('source a', 'action allow')}`), /contains itself$/);
  assert.match(first(rule('source nowhere', 'action allow')), /if address nowhere is not in the text$/);
  assert.match(first(rule('source US', 'action allow')), /if region US$/);
  assert.match(
    first(`set address w ip-wildcard 10.0.0.1/0.255.255.0\n${rule('source w', 'action allow')}`),
    /from 10\.0\.0\.1,|if address w is 10\.0\.0\.1\/0\.255\.255\.0$/,
  );
});

test('device groups: what stands nearer wins, parents come first before local rules and last after them', () => {
  const { policies } = read(fixture('panorama_10.2'));
  const keys = policies.find(({ id }) => id === 'security north')?.entries.map(({ ruleKey }) => ruleKey) ?? [];
  assert.deepEqual(
    [...new Set(keys)].map((key) => key.split(' ').slice(-2).join(' ')),
    [
      '0c1de8b0-0000-4000-8000-000000000001',
      'pre no-telnet',
      'pre site-admin',
      'pre drop-box',
      'post site-web',
      'post say-no',
      'north intrazone-default',
      'north interzone-default',
    ],
  );
});

test('words of a rule that nobody knows are unread, those that say nothing of packets are not', () => {
  assert.deepEqual(unread(rule('action allow', 'log-end yes', 'profile-setting group strict', 'tag t')), []);
  assert.deepEqual(unread(rule('action allow', 'teleport yes')), ['set rulebase security rules r teleport yes']);
  assert.deepEqual(unread('set rulebase sdwan rules s from in'), ['set rulebase sdwan rules s from in']);
  assert.deepEqual(unread('set rulebase qos rules s from in'), []);
});

test('logs that tell of a change do, others do not', () => {
  const tells = (line: string) => panos.changedBy.some((pattern) => pattern.test(line));
  const config = (command: string, result = 'Succeeded') =>
    `<14>Nov 20 10:00:00 fw1 1,2026/11/20 10:00:00,001801000001,CONFIG,0,2561,2026/11/20 10:00:00,10.9.0.5,,${command},jdoe,Web,${result}, vsys  vsys1 rulebase nat rules relay,4711,0x0,0,0,0,0,,fw1,0,`;
  for (const command of ['edit', 'set', 'add', 'delete', 'move', 'rename', 'clone', 'commit']) assert.ok(tells(config(command)), command);
  assert.ok(tells(config('commit', 'Submitted')));
  assert.ok(!tells(config('show')));
  assert.ok(!tells(config('edit', 'Unauthorized')));
  assert.ok(!tells(config('edit', 'Failed')));
  assert.ok(
    tells(
      '1,2026/11/20 10:00:10,001801000001,SYSTEM,general,2561,2026/11/20 10:00:10,,general,,0,0,general,informational,"Commit job succeeded. Completion time=2026/11/20 10:00:09. JobId=42. User=jdoe",4712,0x0',
    ),
  );
  assert.ok(!tells('1,2026/11/20 10:00:10,001801000001,TRAFFIC,end,2561,2026/11/20 10:00:10,10.1.0.5,192.0.2.1,set,edit'));
});
