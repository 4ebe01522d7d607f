import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressSet } from '../../src/model/addresses.ts';
import type { Ticket } from '../../src/model/ticket.ts';
import { approvalOf } from '../../src/tickets/approved.ts';
import { matchTicket, type TicketQuestion } from '../../src/tickets/match.ts';
import { relay, T0 } from '../analytics/fixtures.ts';

const HOUR = 3_600_000;
const ticket: Ticket = {
  system: 'servicenow',
  number: 'CHG0031337',
  state: 'approved',
  type: 'normal',
  devices: ['edge1'],
  plannedStartMs: T0 - HOUR,
  plannedEndMs: T0 + HOUR,
  implementer: 'alice',
};
const ask: TicketQuestion = {
  device: 'edge1',
  changes: [],
  occurredBetween: { fromMs: T0, toMs: T0 + 60_000, basis: 'pulls' },
  actors: [],
};
const by = (user: string, command?: string) => [
  { source: 'syslog' as const, user, command, confidence: 0.9, raw: '' },
];

test('a ticket number in a command decides', () => {
  const named = {
    ...ask,
    actors: by('bob', 'nft add rule ... comment "chg0031337"'),
    ticketPattern: 'CHG\\d{7}',
  };
  assert.equal(matchTicket(named, [ticket]).state, 'approved');
  assert.equal(matchTicket(named, [{ ...ticket, state: 'new' }]).state, 'mismatch');
  assert.equal(matchTicket(named, [{ ...ticket, devices: ['edge2'] }]).state, 'mismatch');
  assert.equal(matchTicket(named, [{ ...ticket, plannedEndMs: T0 - 1 }]).state, 'mismatch');
  assert.equal(matchTicket(named, []).state, 'mismatch');
});

test('device, window and implementer together match; a window alone only proposes', () => {
  assert.equal(matchTicket({ ...ask, actors: by('alice') }, [ticket]).state, 'approved');
  assert.equal(matchTicket({ ...ask, actors: by('mallory') }, [ticket]).state, 'proposed');
  assert.equal(matchTicket(ask, [{ ...ticket, devices: [] }]).state, 'none');
});

test('an invalid pattern of an operator is no crash', () => {
  assert.equal(matchTicket({ ...ask, ticketPattern: '(' }, [ticket]).state, 'proposed');
});

test('an approved forward covers a relay by destination, service and source, until it expires', () => {
  const internal = addressSet('10.0.0.0/8');
  const forward = {
    id: 'f',
    sources: ['10.20.0.0/24'],
    destinations: ['203.0.113.50/32'],
    services: ['udp/443'],
    reason: 'backup',
  };
  assert.deepEqual(approvalOf([relay], [forward], internal, T0), {
    id: 'f',
    reason: 'backup',
    widerThanApproved: false,
  });
  assert.equal(
    approvalOf([relay], [{ ...forward, destinations: ['203.0.113.51'] }], internal, T0),
    undefined,
  );
  assert.equal(approvalOf([relay], [{ ...forward, services: ['udp/444'] }], internal, T0), undefined);
  assert.equal(approvalOf([relay], [{ ...forward, sources: ['10.99.0.0/24'] }], internal, T0), undefined);
  assert.equal(
    approvalOf([relay], [{ ...forward, sources: ['10.20.0.0/25'] }], internal, T0)?.widerThanApproved,
    true,
  );
  assert.equal(approvalOf([relay], [{ ...forward, expiresMs: T0 }], internal, T0), undefined);
});
