import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAlert, withToken } from '../../src/alerts/formats.ts';
import { alertFixture } from '../web/alert.ts';

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
