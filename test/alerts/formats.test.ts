import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMATS, type Format, formatAlert, withToken } from '../../src/alerts/formats.ts';
import type { Alert } from '../../src/model/alert.ts';
import { alertFixture, hostAlertFixture } from '../web/alert.ts';

const link = 'https://postern.example/v1/alerts/al_1';

test('a sub-technique is told from its technique in OCSF, and revisions are updates', () => {
  const first = JSON.parse(formatAlert(alertFixture('al_1'), 'ocsf'));
  assert.deepEqual(first.finding_info.attacks, [
    { technique: { uid: 'T1090' }, sub_technique: { uid: 'T1090.002' } },
  ]);
  assert.deepEqual([first.class_uid, first.activity_id, first.type_uid], [2004, 1, 200401]);
  const plain = JSON.parse(formatAlert(alertFixture('al_1', { technique: ['T1090'], revision: 2 }), 'ocsf'));
  assert.deepEqual(plain.finding_info.attacks, [{ technique: { uid: 'T1090' } }]);
  assert.deepEqual([plain.activity_id, plain.type_uid], [2, 200402]);
});

test('Slack gets a section of at most 3,000 characters that still ends with the link', () => {
  for (const narrative of ['short & <sweet>', '&'.repeat(2990), `${'x'.repeat(598)}😀`.repeat(50)]) {
    const title = `${'<'.repeat(400)}`;
    const body = JSON.parse(formatAlert(alertFixture('al_1', { narrative, title, link }), 'slack'));
    const { text } = body.blocks[0].text as { text: string };
    assert.ok(text.length <= 3000, String(text.length));
    const end = `\n<${link}|Open in Postern>`;
    assert.ok(text.endsWith(end));
    assert.doesNotMatch(text.slice(0, -end.length), /<|>|&(?!amp;|lt;|gt;)/);
    assert.ok(text.isWellFormed());
  }
});

test('tokens are added at sending, where the receiver looks for them', () => {
  const alert = alertFixture('al_1');
  const splunk = formatAlert(alert, 'splunk-hec');
  assert.deepEqual(withToken('splunk-hec', splunk, 'hec'), {
    body: splunk,
    headers: { authorization: 'Splunk hec' },
  });
  assert.equal(JSON.parse(splunk).event.id, 'al_1');
  const pager = withToken('pagerduty', formatAlert(alert, 'pagerduty'), 'route');
  assert.equal(JSON.parse(pager.body).routing_key, 'route');
  assert.deepEqual(withToken('postern', '{}', 'unused'), { body: '{}', headers: {} });
});

const bodyOf = (alert: Alert, format: Format) => {
  const text = formatAlert(alert, format);
  assert.doesNotMatch(text, /undefined|\[object/);
  return JSON.parse(text);
};

test('OCSF has the host, its process, who acts, where it leads, and the stages', () => {
  const destination = { address: '203.0.113.50', asn: 64500, name: 'HOSTER', category: 'hosting' };
  const totals = { outPackets: 9, returnPackets: 8, outBytes: 900, returnBytes: 800 };
  const alert = hostAlertFixture('al_1', { destinations: [{ ...destination, ...totals }] });
  const body = bodyOf(alert, 'ocsf');
  assert.deepEqual(body.device, { hostname: 'web-1', type_id: 0 });
  const [first, second, third, ...others] = body.evidences;
  assert.deepEqual(first, {
    process: {
      pid: 4711,
      cmd_line: 'socat TCP-LISTEN:8443 TCP:203.0.113.50:443',
      name: 'socat',
      file: { name: 'socat', path: '/usr/bin/socat', type_id: 1 },
      user: { name: 'www-data' },
      parent_process: { pid: 4700, name: 'sh', file: { name: 'sh', path: '/bin/sh', type_id: 1 } },
    },
    actor: { user: { name: 'mallory' } },
    data: alert.process,
  });
  assert.equal(second.dst_endpoint.ip, '203.0.113.50');
  assert.deepEqual([third.data, others], [alert.stages[0], []]);
  assert.deepEqual(body.unmapped.alert, alert);
  assert.deepEqual(bodyOf(alertFixture('al_1'), 'ocsf').device, { hostname: 'edge', type_id: 0 });
});

test('Splunk and PagerDuty name the host, and PagerDuty the program', () => {
  const alert = hostAlertFixture('al_1', { narrative: `socat ran\u2028\u202e${'😀'.repeat(600)}`, link });
  const splunk = bodyOf(alert, 'splunk-hec');
  assert.deepEqual([splunk.host, splunk.event], ['web-1', alert]);
  const { payload, links } = bodyOf(alert, 'pagerduty');
  assert.deepEqual([payload.source, payload.component], ['web-1', '/usr/bin/socat']);
  assert.ok(payload.summary.startsWith('A relay was started: socat ran  😀'), payload.summary);
  assert.ok(payload.summary.length <= 1024 && payload.summary.isWellFormed());
  assert.deepEqual([payload.custom_details, links.length], [alert, 1]);
});

test('Slack shows host, process, command, user and stages, and none of them is markup or a line of its own', () => {
  const { text } = bodyOf(hostAlertFixture('al_1'), 'slack').blocks[1].text;
  assert.deepEqual(text.split('\n'), [
    'Host: web-1',
    'Process: /usr/bin/socat (4711), started by /bin/sh',
    'Command: socat TCP-LISTEN:8443 TCP:203.0.113.50:443',
    'User: www-data, logged in as mallory',
    '2026-01-01T00:00:00.000Z process: socat was run',
  ]);
  const evil = 'x\nUser: root\u001b[2J <!channel> <https://evil.example|click> & \u202egnp';
  const alert = hostAlertFixture('al_1', {
    host: evil,
    title: evil,
    process: { executable: evil, command: evil.repeat(400), user: evil },
    stages: Array(40).fill({ name: evil, at: '2026-01-01T00:00:00.000Z', source: 'auditd', detail: evil }),
  });
  const body = bodyOf(alert, 'slack');
  assert.equal(body.blocks[1].text.type, 'plain_text');
  for (const block of body.blocks) {
    assert.ok(block.text.text.length <= 3000);
    assert.doesNotMatch(block.text.text, /[<>\u001b\u202e]|&(?!amp;|lt;|gt;)|^User: root/m);
  }
  assert.doesNotMatch(body.text, /[<>\n]/);
});

test('an alert about a host without a process says the host, in every format', () => {
  const { process: _, ...alert } = hostAlertFixture('al_1', { stages: [] });
  for (const format of FORMATS) assert.match(JSON.stringify(bodyOf(alert, format)), /web-1/);
  assert.equal(bodyOf(alert, 'slack').blocks[1].text.text, 'Host: web-1');
  assert.deepEqual(bodyOf(alert, 'ocsf').evidences, []);
  const bare = hostAlertFixture('al_2', { process: { pid: 1 }, stages: [] });
  for (const format of FORMATS) bodyOf(bare, format);
  const unnumbered = hostAlertFixture('al_3', { process: { command: 'socat' }, stages: [] });
  assert.deepEqual(bodyOf(unnumbered, 'ocsf').evidences, [{ data: { command: 'socat' } }]);
});

test('a close resolves in PagerDuty, is the activity Close of OCSF, and stands first in Slack', () => {
  const closed = alertFixture('al_1', { status: 'closed', revision: 2 });
  const ocsf = bodyOf(closed, 'ocsf');
  assert.deepEqual([ocsf.activity_id, ocsf.type_uid, ocsf.status_id], [3, 200403, 4]);
  const [opened, resolved] = [bodyOf(alertFixture('al_1'), 'pagerduty'), bodyOf(closed, 'pagerduty')];
  assert.deepEqual([opened.event_action, resolved.event_action], ['trigger', 'resolve']);
  assert.equal(resolved.dedup_key, opened.dedup_key);
  assert.match(bodyOf(closed, 'slack').text, /^CLOSED: /);
});
