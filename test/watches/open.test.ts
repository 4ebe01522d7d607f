import assert from 'node:assert/strict';
import { test } from 'node:test';
import { an0926 } from '../../src/analytics/an0926.ts';
import type { ChangeAnalytic } from '../../src/analytics/definition.ts';
import { addressSet, hasAddress, parseAddress } from '../../src/model/addresses.ts';
import type { RuleChange } from '../../src/model/change.ts';
import { serviceSet } from '../../src/model/services.ts';
import { ANY_TRAFFIC } from '../../src/model/traffic.ts';
import {
  type ChangeSet,
  type History,
  openWatches,
  relayAddresses,
  type SiteFacts,
} from '../../src/watches/open.ts';
import { relay, T0 } from '../analytics/fixtures.ts';

const analytic = an0926 as unknown as ChangeAnalytic;
const site: SiteFacts = {
  internal: addressSet('10.0.0.0/8', '192.0.2.2'),
  tickets: [],
  approvedForwards: [],
};
const history: History = { classesBefore: [], usersBefore: [], hoursBefore: [] };
const relayChange: RuleChange = {
  kind: 'added',
  class: 'egress-relay',
  ruleKey: 'r1',
  opens: [relay],
  closes: [],
};
const masquerade: RuleChange = {
  kind: 'added',
  class: 'source-nat',
  ruleKey: 'm1',
  opens: [
    {
      traffic: { ...ANY_TRAFFIC, sources: addressSet('10.0.0.0/8'), services: serviceSet('any') },
      sourceTranslation: { kind: 'source' },
      ruleKeys: ['m1'],
      class: 'source-nat',
    },
  ],
  closes: [],
};

const setOf = (...changes: RuleChange[]): ChangeSet => ({
  device: {
    name: 'edge1',
    addresses: addressSet('192.0.2.2'),
    exporters: ['192.0.2.2'],
    timeZone: 'Europe/Zurich',
  },
  changes: changes.map((change, index) => ({ id: `ch_${index}`, change })),
  occurredBetween: { fromMs: T0, toMs: T0 + 60_000, basis: 'pulls' },
  actors: [{ source: 'syslog', user: 'mallory', confidence: 0.9, raw: '' }],
});
const open = (set: ChangeSet, before: History = history) =>
  openWatches(set, site, before, analytic, analytic.parameters);

test('the gravest change comes first, a lesser one asks about the rest; the others of the pull are context', () => {
  const drafts = open(setOf(masquerade, relayChange));
  assert.deepEqual(
    drafts.map((draft) => draft.facts.class),
    ['egress-relay', 'source-nat'],
  );
  const rest = addressSet(...drafts[1].question.destinations);
  assert.deepEqual(
    ['203.0.113.50', '203.0.113.51'].map((address) => hasAddress(rest, parseAddress(address))),
    [false, true],
  );
  assert.deepEqual(
    drafts[0].facts.alsoChanged.map((change) => change.ruleKey),
    ['m1'],
  );
});

test('what the relay and the filter that lets it pass open together is asked about once', () => {
  const permit: RuleChange = { ...relayChange, ruleKey: 'f1', opens: [{ ...relay, ruleKeys: ['f1'] }] };
  const drafts = open(setOf(permit, relayChange));
  assert.equal(drafts.length, 1);
  assert.deepEqual(
    drafts[0].facts.alsoChanged.map((change) => change.ruleKey),
    ['r1'],
  );
});

test('policy routing takes packets another way: their destinations stay', () => {
  const route: RuleChange = {
    ...relayChange,
    opens: [
      {
        ...relay,
        traffic: { ...relay.traffic, destinations: ANY_TRAFFIC.destinations },
        destinationTranslation: { kind: 'policy-route', addresses: addressSet('203.0.113.9') },
      },
    ],
  };
  assert.deepEqual(open(setOf(route))[0].question.destinations, ['any']);
});

test('what is approved for some sources is asked about for the others', () => {
  const forward = {
    id: 'f',
    sources: ['10.20.0.128/25'],
    destinations: ['203.0.113.50'],
    services: [],
    reason: 'backup',
  };
  const [draft] = openWatches(
    setOf(relayChange),
    { ...site, approvedForwards: [forward] },
    history,
    analytic,
    analytic.parameters,
  );
  assert.deepEqual(draft.facts.approvedForward?.sources, ['10.20.0.128/25']);
  assert.deepEqual(draft.question.scope, ['10.20.0.0/25']);
});

test('the question names inside sources, the translated address, the target, and the local address of the relay', () => {
  const { question } = open(setOf(relayChange))[0];
  assert.deepEqual(question.scope, ['10.20.0.0/24', '192.0.2.2']);
  assert.deepEqual(question.destinations, ['10.20.0.1', '203.0.113.50']);
  assert.deepEqual(question.services, ['udp/443']);
  assert.deepEqual(question.relayTargets, { '10.20.0.1': '203.0.113.50' });
  assert.equal(question.fromMs, T0);
  assert.equal(question.untilMs, T0 + 60_000 + 86_400_000);
});

test('a permit to anywhere asks about any destination', () => {
  const { question } = open(setOf(masquerade))[0];
  assert.deepEqual(question.destinations, ['any']);
});

test('changes that open nothing, or nothing outward, open no watch', () => {
  assert.equal(open(setOf({ ...relayChange, opens: [] })).length, 0);
  assert.equal(open(setOf({ ...relayChange, class: 'inbound-forward' })).length, 0);
  assert.equal(open(setOf()).length, 0);
});

test('history makes an administrator or an hour unusual', () => {
  const before: History = {
    classesBefore: ['egress-relay'],
    usersBefore: ['alice'],
    hoursBefore: Array.from({ length: 12 }, () => 14),
  };
  const [{ facts }] = open(setOf(relayChange), before);
  assert.deepEqual([facts.usualActor, facts.unusualHour, facts.firstOfKind], [false, true, false]);
  const [fresh] = open(setOf(relayChange));
  assert.deepEqual(
    [fresh.facts.usualActor, fresh.facts.unusualHour, fresh.facts.firstOfKind],
    [undefined, false, true],
  );
});

test('a relay that listens everywhere has no local address of its own', () => {
  const everywhere = { ...relay, traffic: { ...relay.traffic, destinations: addressSet('any') } };
  assert.deepEqual(relayAddresses([everywhere], site.internal), addressSet());
});
