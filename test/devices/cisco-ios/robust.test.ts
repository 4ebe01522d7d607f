import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ciscoIos } from '../../../devices/cisco-ios.ts';
import { found } from '../../../src/snapshots/clean.ts';
import { parseHeaderTime } from '../../../src/snapshots/headers.ts';
import { read } from './entries.ts';

const corpus = new URL('../../../../shared/corpora/configs/cisco_ios/', import.meta.url);
const fixture = (name: string) => readFileSync(new URL(`${name}/snapshot.cfg`, import.meta.url), 'utf8');

test('few lines of configurations of others stay unread', (t) => {
  if (!existsSync(corpus)) return t.skip('the corpora are not beside this checkout');
  let lineCount = 0;
  let unreadCount = 0;
  for (const name of readdirSync(corpus)) {
    const text = readFileSync(new URL(name, corpus), 'utf8');
    lineCount += text.split('\n').length;
    unreadCount += read(text).unread.length;
  }
  t.diagnostic(`${unreadCount} of ${lineCount} lines unread`);
  assert.ok(lineCount > 100 && unreadCount / lineCount < 0.05);
});

test('an edited group changes every rule that it reaches, and no key', () => {
  const [before, after] = ['isr-group_15.9-before', 'isr-group_15.9-after'].map((name) =>
    read(fixture(name)),
  );
  assert.deepEqual(
    before.rules.map((rule) => rule.key),
    after.rules.map((rule) => rule.key),
  );
  const changed = after.rules.filter(
    (rule, i) => JSON.stringify(rule.match) !== stringOf(before.rules[i].match),
  );
  assert.deepEqual(
    changed.map((rule) => rule.key.replace(/:[^:]*$/, '')),
    ['nat', 'acl:RELAYED', 'acl:USERS'],
  );
});

const stringOf = (value: unknown) => JSON.stringify(value);

test('a configuration cut or damaged anywhere reads without an exception', () => {
  for (const name of ['isr-relay_15.9', 'csr-policy-routing_17.09', 'isr-zones_16.12']) {
    const text = fixture(name);
    const lines = text.split('\n');
    for (let cut = 0; cut < text.length; cut += 97) read(text.slice(0, cut));
    // One word less, one word too many, one word in place of another: every line still is read or unread.
    for (let i = 0; i < lines.length; i += 3) {
      const words = lines[i].split(' ');
      for (const changed of [
        words.slice(0, -1),
        [...words, 'constructor'],
        [...words.slice(0, -1), '__proto__'],
      ])
        read([...lines.slice(0, i), changed.join(' '), ...lines.slice(i + 1)].join('\n'));
    }
  }
});

test('time grows with the length of the text, not faster', () => {
  const statements = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const host = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
      return ` permit tcp host ${host} object-group G eq ${i % 60_000}`;
    }).join('\n');
  const groups = `object-group network G\n${Array.from({ length: 500 }, (_, i) => ` host 192.0.${i >> 8}.${i & 255}`).join('\n')}\n`;
  const timed = (count: number) => {
    const text = `${groups}interface Gi1\n ip access-group A in\nip access-list extended A\n${statements(count)}\n`;
    const begin = performance.now();
    assert.equal(read(text).rules.length, count + 1);
    return performance.now() - begin;
  };
  timed(1000);
  const [small, large] = [timed(2000), timed(20_000)];
  assert.ok(large < 40 * Math.max(small, 5), `${small} ms for 2,000 entries, ${large} ms for 20,000`);
});

test('lines that are long or have no end do not stop a reading', () => {
  const hostile = [
    `access-list 101 permit ${'a '.repeat(500_000)}`,
    `banner motd #${'x'.repeat(100_000)}`,
    Array.from({ length: 20_000 }, (_, i) => `banner motd ${String.fromCharCode(33 + (i % 90))}`).join('\n'),
    `object-group network G\n${Array.from({ length: 2000 }, (_, i) => ` group-object G${i}`).join('\n')}`,
    Array.from({ length: 3000 }, (_, i) => `object-group network G${i}\n group-object G${i + 1}`).join('\n'),
    Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}x`).join('\n'),
  ];
  const begin = performance.now();
  for (const text of hostile) read(text);
  assert.ok(performance.now() - begin < 4000);
});

test('session: prompts, pager and end marker', () => {
  const { prompt, pagers, commands, enable } = ciscoIos.session;
  for (const line of ['gw>', 'gw#', 'gw(config)#', 'dc-edge.example#', 'gw(config-if)# '])
    assert.ok(found(prompt, line), line);
  for (const line of [' permit tcp any any', 'Password:', '! by jdoe #1 here', '#'])
    assert.ok(!found(prompt, line), line);
  assert.ok(found(pagers[0].pattern, ' --More-- '));
  assert.ok(enable && found(enable.neededAt, 'gw>') && !found(enable.neededAt, 'gw#'));
  assert.ok(found(commands[0].endMarker, 'x\nend\n') && !found(commands[0].endMarker, 'x\n send\nend of it'));
});

test('who changed it: header lines and syslog', () => {
  const [header] = ciscoIos.changeHeaders ?? [];
  const match = header.exec('! Last configuration change at 22:14:07 UTC Mon Mar 2 2026 by jdoe');
  assert.equal(match?.groups?.user, 'jdoe');
  assert.equal(parseHeaderTime(match?.groups?.time ?? ''), Date.UTC(2026, 2, 2, 22, 14, 7));
  assert.equal(
    header.exec('! Last configuration change at 08:01:55 CET Tue Apr 14 2026')?.groups?.user,
    undefined,
  );
  const isChange = (line: string) => ciscoIos.changedBy.some((pattern) => found(pattern, line));
  assert.ok(isChange('%SYS-5-CONFIG_I: Configured from console by cisco on vty0 (192.0.2.22)'));
  assert.ok(isChange('%PARSER-5-CFGLOG_LOGGEDCMD: User:cisco  logged command:interface GigabitEthernet0/1'));
  assert.ok(!isChange('%PARSER-5-CFGLOG_LOGGEDCMD: User:cisco  logged command:!exec: enable'));
});

test('hundreds of thousands of one thing are no exception', () => {
  const many = (line: (i: number) => string, count = 130_000) =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n');
  const host = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  const group = read(
    `object-group network G\n${many((i) => ` host ${host(2 * i)}`)}\naccess-list 101 permit ip object-group G any`,
  );
  assert.equal(group.rules[0].match.sources.v4.length, 260_000);
  const nat = 'ip nat inside source list A interface Gi1\nip access-list extended A\n';
  assert.match(
    read(`${nat}${many((i) => ` permit ip host ${host(2 * i)} any`)}`).rules[0].unresolved[0],
    /too long/,
  );
  const classes = `policy-map type inspect P\n class type inspect C\n  pass\nclass-map type inspect match-any C\n`;
  read(`${classes}${many(() => ' match class-map C')}`);
  read(
    `${classes}${many((i) => ` match class-map C${i % 3}`, 3000)}${[0, 1, 2].map((c) => `\nclass-map type inspect match-all C${c}\n${many((i) => ` match class-map C${(c + i) % 3}`, 3000)}`).join('')}`,
  );
  const ports = `object-group service S\n${many((i) => ` tcp source eq ${i % 65_536} eq ${i % 60_000}`, 130_000)}\naccess-list 101 permit object-group S any any\nip nat inside source list 101 interface Gi1`;
  assert.equal(read(ports).rules.length, 2);
});
