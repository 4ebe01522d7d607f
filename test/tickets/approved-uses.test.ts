import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTunnels } from '../../src/analytics/tunnel-command.ts';
import type { ApprovedUse } from '../../src/model/ticket.ts';
import { approvedUse } from '../../src/tickets/approved-uses.ts';

const AT = Date.parse('2026-11-02T03:00:00Z');
const entry = (overrides: Partial<ApprovedUse> = {}): ApprovedUse => ({
  id: 'au1',
  hosts: ['web1'],
  users: ['alice'],
  tools: ['ssh'],
  destinations: [],
  services: [],
  reason: 'database work',
  ...overrides,
});

const covers = (
  line: string,
  uses: ApprovedUse,
  { host = 'web1', user = ['alice'] as string[], seen = [] as string[] } = {},
) => {
  const found = readTunnels(line.split(' '));
  assert.ok(found.length > 0, line);
  return found.every((use) => approvedUse(use, host, user, [uses], AT, seen) !== undefined);
};

const FORWARD = 'ssh -L 5432:10.20.0.5:5432 10.20.0.9';

test('host, user and tool are lists of which one must fit, and an empty one is any', () => {
  assert.ok(covers(FORWARD, entry()));
  assert.ok(!covers(FORWARD, entry(), { host: 'web2' }));
  assert.ok(!covers(FORWARD, entry(), { user: ['mallory'] }));
  assert.ok(covers(FORWARD, entry(), { user: ['alice', 'root'] }));
  assert.ok(!covers(FORWARD, entry({ tools: ['socat'] })));
  assert.ok(covers(FORWARD, entry({ hosts: [], users: [], tools: [] }), { host: 'x', user: ['y'] }));
});

test('an expired entry does not count, one that expires later does', () => {
  assert.ok(!covers(FORWARD, entry({ expiresMs: AT })));
  assert.ok(covers(FORWARD, entry({ expiresMs: AT + 1 })));
});

const DESTINATIONS: readonly (readonly [
  line: string,
  destinations: string[],
  services: string[],
  expected: boolean,
  seen?: string[],
])[] = [
  [FORWARD, ['10.20.0.5'], ['tcp/5432'], true],
  [FORWARD, ['10.20.0.0/24'], [], true],
  [FORWARD, ['10.20.0.5'], ['tcp/3306'], false],
  [FORWARD, ['10.20.0.6'], [], false],
  // The server alone names what is reached through it, but nothing outside.
  [FORWARD, ['10.20.0.9'], [], true],
  [FORWARD, ['10.20.0.9'], ['tcp/22'], true],
  [FORWARD, ['10.20.0.9'], ['tcp/443'], false],
  ['ssh -L 443:203.0.113.9:443 10.20.0.9', ['10.20.0.9'], [], false],
  ['ssh -L 5432:10.20.0.5:5432 203.0.113.9', ['10.20.0.5'], [], false],
  ['ssh -L 5432:localhost:5432 db.example.net', ['db.example.net'], [], true],
  ['ssh -L 5432:localhost:5432 DB.example.net', ['db.example.net'], ['tcp/5432'], true],
  ['ssh -L 5432:localhost:5432 db', ['10.20.0.5'], [], false],
  ['ssh -L 5432:localhost:5432 db', ['10.20.0.5'], [], true, ['10.20.0.5']],
  ['ssh -D 1080 10.20.0.9', ['10.20.0.9'], [], true],
  ['ssh -D 1080 10.20.0.9', ['10.20.0.9'], ['tcp/22'], true],
  ['ssh -D 1080 10.20.0.9', ['10.20.0.9'], ['tcp/443'], false],
  ['ssh -D 1080 203.0.113.9', ['10.20.0.9'], [], false],
  ['ssh -R 2222:10.20.0.9:22 203.0.113.9', ['10.20.0.9'], [], false],
  ['ssh -R 2222:localhost:22 203.0.113.9', ['203.0.113.0/24'], [], true],
  ['ssh -L 5432:10.20.0.5:5432 -D 1080 10.20.0.9', ['10.20.0.5'], ['tcp/5432'], false],
  [FORWARD, ['not an address/99'], [], false],
];

for (const [line, destinations, services, expected, seen] of DESTINATIONS)
  test(`${line} ${expected ? 'is' : 'is not'} covered by ${destinations} ${services}${seen ? ` (seen at ${seen})` : ''}`, () =>
    assert.equal(covers(line, entry({ destinations, services }), { seen }), expected));

test('services that are none cover nothing', () => {
  assert.ok(!covers(FORWARD, entry({ services: ['nonsense'] })));
});

test('a shell for others is covered only by an entry that names tool and destination', () => {
  const line = 'socat TCP:10.20.0.5:4444 EXEC:/bin/bash';
  assert.ok(!covers(line, entry({ tools: [] })));
  assert.ok(!covers(line, entry({ tools: ['socat'] })));
  assert.ok(covers(line, entry({ tools: ['socat'], destinations: ['10.20.0.5'] })));
});
