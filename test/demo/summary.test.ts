import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise } from '../../src/demo/summary.ts';
import type { DeviceAlert } from '../../src/model/alert.ts';

const ALERT = {
  id: 'al_1',
  analytic: 'AN0926',
  revision: 2,
  severity: 'high',
  score: 90,
  title: 'edge1: new rule\u001b[2J',
  narrative: 'Probably alice did it.',
  scoreReasons: [{ reason: 'destination category vps', weight: 10 }],
  missingStages: [],
  destinations: [{ address: '203.0.113.50', asn: 64500, name: 'EXAMPLE-VPS', category: 'vps' }],
  flows: {
    baseline: { minutes: 180, packetsPerMinute: 0 },
    observed: { outPackets: 5778, returnPackets: 62, packetsPerMinute: 2889 },
    returnRatio: 0.0107,
  },
  change: {
    kind: 'modified',
    class: 'egress-relay',
    before: { lines: [{ number: 50, text: 'ip nat old' }] },
    after: { lines: [{ number: 51, text: 'ip nat new' }] },
    actors: [
      {
        source: 'syslog',
        user: 'alice',
        sourceAddress: '10.99.0.9',
        confidence: 0.9,
        raw: '%SYS-5-CONFIG_I: by alice',
      },
    ],
    ticket: { state: 'none', reason: 'no matching ticket' },
  },
} as unknown as DeviceAlert;

const bare = (_colour: string, text: string) => text;

test('an alert is summarised with its rule lines, return ratio, destination and actor', () => {
  const text = summarise(ALERT, bare).join('\n');
  assert.match(text, /^HIGH 90 /m);
  assert.match(text, /^ +- +50 {2}ip nat old\n +\+ +51 {2}ip nat new$/m);
  assert.match(text, /5,778 packets out, 62 back: return ratio 0\.011/);
  assert.match(text, /203\.0\.113\.50 {2}AS64500 EXAMPLE-VPS, vps/);
  assert.match(text, /alice from 10\.99\.0\.9/);
  assert.match(text, /%SYS-5-CONFIG_I: by alice/);
});

test('nothing quoted steers the terminal', () => {
  const text = summarise(ALERT, bare).join('\n');
  assert.doesNotMatch(text, /\u001b/);
});
