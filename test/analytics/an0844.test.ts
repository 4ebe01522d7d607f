import assert from 'node:assert/strict';
import { test } from 'node:test';
import { an0844 } from '../../src/analytics/an0844.ts';
import { withOverrides } from '../../src/analytics/definition.ts';
import type { Event } from '../../src/model/event.ts';
import {
  flow,
  KNOCKER,
  line,
  login,
  mac,
  packet,
  runs,
  type Story,
  severityOf,
  verdictsOf,
} from './knock-lines.ts';

const severity = (story: Story) => severityOf(an0844, { host: mac, ...story });
const run = (command: string) => runs(5, command, mac);
const p = withOverrides(an0844, {});
const trigger = (event: Event) => an0844.triggeredBy(event, mac, p);
const stealth = (seconds: number, port: number) =>
  line(
    seconds,
    `kernel 0 - - Stealth Mode connection attempt to TCP 10.20.0.10:${port} from ${KNOCKER}:${51_000 + port}`,
    mac,
  );
const KNOCK = [stealth(0, 7000), stealth(2, 8000), stealth(4, 9000)];
const FED = `/bin/sh -c "echo 'pass in proto tcp from ${KNOCKER} to any port 22' | pfctl -a knock -f -"`;
const inPort = [login(8, KNOCKER, 'bob', mac)];

test('stealth-mode lines, an anchor for the very source, a login: high', () => {
  const [verdict] = verdictsOf(an0844, { host: mac, events: [...KNOCK, run(FED), ...inPort] });
  assert.equal(verdict.severity, 'high');
  assert.ok(verdict.reasons.some(({ reason }) => reason.includes('not in PFAnchorPaths')));
  assert.ok(verdict.reasons.some(({ reason }) => reason.includes('names the source')));
  assert.deepEqual(verdict.missingStages, []);
});

test('every way to open a Mac: the whole is high, without connection lower, without a knock silent', () => {
  for (const command of [
    '/sbin/pfctl -f /etc/pf.conf',
    '/sbin/pfctl -ef /tmp/x.conf',
    '/sbin/pfctl -a com.example -f /etc/pf.anchors/com.example',
    '/sbin/pfctl -d',
    '/sbin/pfctl -F all',
    '/usr/libexec/ApplicationFirewall/socketfilterfw --add /usr/local/bin/ncat',
    '/usr/libexec/ApplicationFirewall/socketfilterfw --unblockapp /usr/local/bin/ncat',
    '/usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate off',
    '/bin/launchctl load -w /System/Library/LaunchDaemons/ssh.plist',
    '/bin/launchctl bootstrap system /System/Library/LaunchDaemons/telnet.plist',
    '/bin/launchctl kickstart -k system/com.openssh.sshd',
    '/usr/sbin/systemsetup -setremotelogin on',
    '/usr/bin/tee /etc/pf.anchors/knock',
  ]) {
    assert.equal(severity({ events: [...KNOCK, run(command), ...inPort] }), 'high', command);
    const alone = severity({ events: [...KNOCK, run(command)] });
    assert.ok(alone === 'low' || alone === 'medium', `${command}: ${alone}`);
    assert.equal(severity({ events: [run(command), ...inPort] }), undefined, command);
    assert.equal(severity({ events: [...KNOCK.slice(1), run(command), ...inPort] }), undefined, command);
  }
});

test('looking on is no trigger', () => {
  for (const command of [
    '/sbin/pfctl -s rules',
    '/sbin/pfctl -sr',
    '/sbin/pfctl -vnf /etc/pf.conf',
    '/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate',
    '/usr/libexec/ApplicationFirewall/socketfilterfw --listapps',
    '/bin/launchctl list com.openssh.sshd',
    '/bin/launchctl bootout system/com.openssh.sshd',
    '/usr/libexec/ApplicationFirewall/socketfilterfw --blockapp /usr/local/bin/ncat',
    '/bin/cat /etc/pf.anchors/knock',
    '/usr/sbin/systemsetup -getremotelogin',
  ])
    assert.equal(trigger(run(command)), undefined, command);
});

test('what PF and the kernel say of themselves is a change by which rule is not told', () => {
  const loaded = line(5, 'kernel 0 - - pf: anchor "knock" loaded', mac);
  assert.equal(trigger(loaded)?.kind, 'firewall-change');
  assert.equal(severity({ events: [...KNOCK, loaded, ...inPort] }), 'high');
  assert.equal(severity({ events: [...KNOCK, loaded] }), 'low');
});

test('a background process that takes a port', () => {
  const listen: Event = {
    ...line(5, 'osqueryd 1 - - x', mac),
    kind: 'listen',
    destinationPort: 4444,
    executable: '/usr/local/bin/helper',
    effectiveUser: 'bob',
  };
  const flows = [flow(9, 4444, 'established')];
  assert.equal(severity({ events: [...KNOCK, listen], flows }), 'high');
  assert.equal(severity({ events: [listen], flows }), undefined);
});

test('DevMode: a developer host tests its filter, yet a new listener after a knock is told', () => {
  const host = { ...mac, isDeveloper: true };
  const events = [...KNOCK, run(FED), ...inPort];
  assert.ok([undefined, 'informational'].includes(severity({ host, events })));
  assert.equal(severity({ host, events, parameters: { DevMode: false } }), 'high');
  assert.equal(severity({ events }), 'high');
  const listen: Event = { ...line(5, 'osqueryd 1 - - x', mac), kind: 'listen', destinationPort: 4444 };
  assert.equal(severity({ host, events: [...KNOCK, listen], flows: [flow(9, 4444, 'established')] }), 'high');
});

test('UDP and ICMP knocks as pf logs them; PFAnchorPaths and DevMode are checked', () => {
  const udp = [packet(0, 7000, { protocol: 'UDP', host: mac }), ...KNOCK.slice(1)];
  assert.equal(severity({ events: [...udp, run(FED), ...inPort] }), 'high');
  const [verdict] = verdictsOf(an0844, {
    host: mac,
    events: [...KNOCK, run('/sbin/pfctl -f /opt/pf/site.conf'), ...inPort],
    parameters: { PFAnchorPaths: ['/opt/pf/*'] },
  });
  assert.ok(!verdict.reasons.some(({ reason }) => reason.includes('PFAnchorPaths')));
  assert.throws(() => withOverrides(an0844, { DevMode: 'yes' }), /DevMode is true or false/);
  assert.throws(() => withOverrides(an0844, { PFAnchorPaths: [1] }), /PFAnchorPaths is a list of words/);
});
