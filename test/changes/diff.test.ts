import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRuleSets } from '../../src/changes/diff.ts';
import { describeOpening } from '../../src/changes/present.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { RuleSet, Translation } from '../../src/model/rule.ts';
import { DEFAULT_INTERNAL } from '../../src/model/site.ts';
import { names } from '../../src/model/traffic.ts';
import { type Chain, destination, type Line, ruleSet } from './build.ts';

const filter = (...lines: Line[]): Chain => ({ id: 'forward', lines });
const dnat = (...lines: Line[]): Chain => ({ id: 'prerouting', stage: 'destination-nat', lines });
const snat = (...lines: Line[]): Chain => ({ id: 'postrouting', stage: 'source-nat', lines });
const redirect = (...lines: Line[]): Chain => ({ id: 'aside', stage: 'redirect', lines });
const accept = (key: string, rest: Partial<Line> = {}): Line => ({ key, action: 'accept', ...rest });
const drop = (key: string, rest: Partial<Line> = {}): Line => ({ key, action: 'drop', ...rest });
const translate = (key: string, to: Translation, rest: Partial<Line> = {}): Line => ({
  key,
  action: 'translate',
  translate: to,
  ...rest,
});
const lan = { from: '10.20.0.0/24' };
const web = accept('web', { ...lan, to: '10.1.0.0/16', service: 'tcp/80' });
const ssh = accept('ssh', { ...lan, to: '10.1.0.0/16', service: 'tcp/22' });
const all = accept('all', lan);
const relay = translate('relay', destination('203.0.113.50', 443), {
  ...lan,
  to: '10.20.0.1',
  service: 'tcp/8443',
});
const masquerade: Translation = { kind: 'source' };

/** "kind class key: opens | closes" a change. */
function summary(before: RuleSet, after: RuleSet): string[] {
  return diffRuleSets(before, after, { internal: DEFAULT_INTERNAL }).map((change) => {
    const list = (openings: typeof change.opens) => openings.map(describeOpening).sort().join('; ');
    return `${change.kind} ${change.class} ${change.ruleKey}: ${list(change.opens)} | ${list(change.closes)}`;
  });
}

const same = (before: RuleSet, after: RuleSet) => assert.deepEqual(summary(before, after), []);

test('a relay that appears is an egress relay, and its disappearance is told by what closes', () => {
  const before = ruleSet(dnat(), filter(accept('out', { ...lan, to: '203.0.113.0/24', service: 'tcp/443' })));
  const after = ruleSet(
    dnat(relay),
    filter(accept('out', { ...lan, to: '203.0.113.0/24', service: 'tcp/443' })),
  );
  const forward = '10.20.0.0/24 -> 203.0.113.50 tcp/443 by destination NAT of 10.20.0.1 tcp/8443';
  assert.deepEqual(summary(before, after), [`added egress-relay relay: ${forward} | `]);
  assert.deepEqual(summary(after, before), [`removed egress-relay relay:  | ${forward}`]);
});

test('a relay whose translated packet no filter lets through opens nothing', () => {
  assert.deepEqual(summary(ruleSet(dnat(), filter(web)), ruleSet(dnat(relay), filter(web))), [
    'added internal relay:  | ',
  ]);
});

test('a permit that completes a relay already there is the relay', () => {
  const permit = accept('permit', { to: '203.0.113.50', service: 'tcp/443' });
  const [first] = diffRuleSets(ruleSet(dnat(relay), filter(web)), ruleSet(dnat(relay), filter(web, permit)), {
    internal: DEFAULT_INTERNAL,
  });
  assert.equal(first.ruleKey, 'permit');
  assert.equal(first.class, 'egress-relay');
  const byNat = first.opens.filter((opening) => opening.destinationTranslation);
  assert.deepEqual(
    byNat.map((opening) => opening.ruleKeys),
    [['relay', 'permit']],
  );
});

test('an edited group is a modification of the rule that it reaches, though no line moved', () => {
  const before = ruleSet(filter(web));
  const after = ruleSet(filter({ ...web, to: '10.1.0.0/16 198.51.100.7' }));
  assert.deepEqual(summary(before, after), [
    'modified egress-permit web: 10.20.0.0/24 -> 198.51.100.7 tcp/80 | ',
  ]);
});

test('a line that replaces another like it is one modification', () => {
  const wide = accept('web-wide', { ...lan, to: '10.1.0.0/16', service: 'tcp/80-81' });
  assert.deepEqual(summary(ruleSet(filter(web, ssh)), ruleSet(filter(wide, ssh))), [
    'modified internal web-wide: 10.20.0.0/24 -> 10.1.0.0/16 tcp/81 | ',
  ]);
});

test('enabled and disabled', () => {
  const off = ruleSet(filter(web, { ...all, enabled: false }));
  const on = ruleSet(filter(web, all));
  const [enabled] = diffRuleSets(off, on, { internal: DEFAULT_INTERNAL });
  assert.deepEqual([enabled.kind, enabled.class, enabled.ruleKey], ['enabled', 'egress-permit', 'all']);
  const [disabled] = diffRuleSets(on, off, { internal: DEFAULT_INTERNAL });
  assert.deepEqual([disabled.kind, disabled.class, disabled.opens], ['disabled', 'egress-permit', []]);
});

test('moved counts only where the order decides something', () => {
  same(ruleSet(filter(web, ssh)), ruleSet(filter(ssh, web)));
  const noWeb = drop('no-web', { to: '10.1.2.3', service: 'tcp/80' });
  const [change, ...others] = summary(ruleSet(filter(noWeb, web)), ruleSet(filter(web, noWeb)));
  assert.match(change, /^moved internal (web|no-web): 10\.20\.0\.0\/24 -> 10\.1\.2\.3 tcp\/80 \| $/);
  assert.deepEqual(others, []);
});

test('other keys, comments, positions and chain order of independent filters are no change', () => {
  same(ruleSet(filter(web, ssh)), ruleSet(filter({ ...web, key: '10' }, { ...ssh, key: '20' })));
  same(ruleSet(filter(web)), ruleSet(filter({ ...web, comment: 'new words' })));
  const other: Chain = { id: 'other', otherwise: 'accept', lines: [drop('d', { to: '10.1.9.9' })] };
  same(ruleSet(filter(web), other), ruleSet(other, filter(web)));
});

test('the same rule twice: taking one of the two away changes no traffic', () => {
  assert.deepEqual(summary(ruleSet(filter(web, web)), ruleSet(filter(web))), ['removed internal web#2:  | ']);
  same(ruleSet(filter(web, web)), ruleSet(filter(web, web)));
});

test('a rule that is shadowed opens nothing', () => {
  assert.deepEqual(summary(ruleSet(filter(all)), ruleSet(filter(all, web))), ['added internal web:  | ']);
});

test('taking away a deny is to blame for what an unchanged permit then lets through', () => {
  const deny = drop('deny', { to: '198.51.100.0/24' });
  assert.deepEqual(summary(ruleSet(filter(deny, all)), ruleSet(filter(all))), [
    'removed egress-permit deny: 10.20.0.0/24 -> 198.51.100.0/24 any | ',
  ]);
});

test('a new default of a policy is a change of its own', () => {
  const changes = summary(ruleSet(filter(web)), ruleSet({ ...filter(web), otherwise: 'accept' }));
  assert.equal(changes.length, 1);
  assert.match(changes[0], /^modified egress-permit policy:forward: /);
});

test('a list bound to another interface is a change of its rules', () => {
  const bound = (name: string) => ruleSet({ ...filter(web), otherwise: 'accept', ingress: names(name) });
  const closed = ruleSet({ ...filter(web), ingress: names('eth0') });
  const moved = ruleSet({ ...filter(web), ingress: names('eth1') });
  same(bound('eth0'), bound('eth0'));
  assert.ok(summary(closed, moved).some((line) => /egress-permit policy:forward/.test(line)));
});

test('last match wins where the policy says so', () => {
  const pf = (...lines: Line[]): Chain => ({ id: 'pf', evaluation: 'last-match', lines });
  const block = drop('block', { to: '198.51.100.0/24' });
  assert.match(summary(ruleSet(pf(all, block)), ruleSet(pf(block, all)))[0], /^moved egress-permit .* \| $/);
  assert.match(summary(ruleSet(pf(all)), ruleSet(pf(all, block)))[0], /^added egress-permit block: {2}\| /);
});

test('all of several filters must accept', () => {
  const second: Chain = { id: 'second', lines: [accept('second-web', { service: 'tcp/80' })] };
  assert.deepEqual(summary(ruleSet(filter(web), second), ruleSet(filter(web, all), second)), [
    'added egress-permit all: 10.20.0.0/24 -> 0.0.0.0/0 but 10.1.0.0/16 tcp/80 | ',
  ]);
});

test('classes of the other ways', () => {
  const base = [filter(all), snat()] as const;
  const classes = (before: RuleSet, after: RuleSet) =>
    diffRuleSets(before, after, { internal: DEFAULT_INTERNAL }).map((change) => change.class);
  assert.deepEqual(classes(ruleSet(...base), ruleSet(filter(all), snat(translate('m', masquerade)))), [
    'source-nat',
  ]);
  const open = filter(accept('any'));
  const added = (...lines: Line[]) => classes(ruleSet(dnat(), open), ruleSet(dnat(...lines), open));
  assert.deepEqual(added(translate('in', destination('10.1.0.5'), { to: '192.0.2.1' })), ['inbound-forward']);
  assert.deepEqual(added(translate('out', destination('198.51.100.9'), { to: '192.0.2.1' })), [
    'egress-relay',
  ]);
  // What was bound for the outside now goes through the device's own proxy; what was bound for the device stays there.
  const toSelf: Translation = { kind: 'redirect', ports: [3128, 3128] };
  assert.deepEqual(added(translate('self', toSelf)), ['egress-relay']);
  assert.deepEqual(added(translate('self', toSelf, { to: '10.0.0.1' })), ['internal']);
  assert.deepEqual(added(translate('proxy', { kind: 'proxy' })), ['egress-relay']);
  const aside = (to: Translation, rest: Partial<Line> = lan) =>
    classes(ruleSet(redirect(), open), ruleSet(redirect(translate('aside', to, rest)), open));
  const outside = addressSet('198.51.100.1');
  const inside = addressSet('10.0.0.9');
  assert.deepEqual(aside({ kind: 'policy-route', addresses: outside }), ['egress-relay']);
  assert.deepEqual(aside({ kind: 'policy-route', addresses: inside }), ['internal']);
  assert.deepEqual(aside({ kind: 'tunnel', addresses: outside }), ['egress-relay']);
  assert.deepEqual(aside({ kind: 'tunnel' }), ['egress-relay']);
  assert.deepEqual(aside({ kind: 'mirror', addresses: outside }, { to: '10.0.0.0/8' }), ['egress-relay']);
  assert.deepEqual(aside({ kind: 'mirror', addresses: inside }), ['internal']);
  assert.deepEqual(classes(ruleSet(filter()), ruleSet(filter(accept('everything')))), ['egress-permit']);
  assert.deepEqual(classes(ruleSet(filter()), ruleSet(filter(web))), ['internal']);
});

test('masquerade added beside a relay is not called a relay', () => {
  const before = ruleSet(dnat(), filter(all), snat());
  const after = ruleSet(dnat(relay), filter(all), snat(translate('m', masquerade, lan)));
  const classes = diffRuleSets(before, after, { internal: DEFAULT_INTERNAL }).map((c) => [
    c.ruleKey,
    c.class,
  ]);
  assert.deepEqual(classes, [
    ['relay', 'egress-relay'],
    ['m', 'source-nat'],
  ]);
});

const marked = { unresolved: ['mark 7'] };
const maybe = 'under conditions Postern cannot resolve: ';

test('an unresolved accept opens conditionally, an unresolved drop is passed over', () => {
  const way = '10.20.0.0/24 -> 0.0.0.0/0 any';
  const off = ruleSet(filter());
  const may = ruleSet(filter(accept('a', { ...marked, ...lan })));
  const on = ruleSet(filter(accept('a', lan)));
  assert.deepEqual(summary(off, may), [`added egress-permit a: ${maybe}${way} | `]);
  assert.deepEqual(summary(may, on), [`modified egress-permit a: ${way} | `]);
  assert.deepEqual(summary(on, may), [`modified egress-permit a:  | ${way}`]);
  assert.deepEqual(summary(may, off), [`removed egress-permit a:  | ${maybe}${way}`]);
  assert.deepEqual(summary(on, ruleSet(filter(drop('d', marked), accept('a', lan)))), [
    'added internal d:  | ',
  ]);
});

test('another condition on the same traffic opens nothing, and next to a definite accept nothing either', () => {
  const may = accept('a', { ...marked, ...lan });
  const other = { ...may, unresolved: ['mark 8'] };
  assert.deepEqual(summary(ruleSet(filter(may)), ruleSet(filter(other))), ['modified internal a:  | ']);
  assert.deepEqual(summary(ruleSet(filter(all)), ruleSet(filter(may, all))), ['added internal a:  | ']);
});

test('an unresolved accept hides no new default', () => {
  const before = filter(accept('a', marked));
  const [change, ...others] = summary(ruleSet(before), ruleSet({ ...before, otherwise: 'accept' }));
  assert.equal(change, 'modified egress-permit policy:forward: any -> any any | ');
  assert.deepEqual(others, []);
});

test('a conditional opening stays apart from a definite one by the same rules', () => {
  const second: Chain = {
    id: 'second',
    lines: [accept('w', { service: 'tcp/80' }), accept('m', marked)],
  };
  const [change] = diffRuleSets(ruleSet(filter(), second), ruleSet(filter(all), second), {
    internal: DEFAULT_INTERNAL,
  });
  assert.deepEqual(
    change.opens.map((opening) => [describeOpening(opening), opening.ruleKeys]),
    [
      [`${maybe}10.20.0.0/24 -> 0.0.0.0/0 any but tcp/80`, ['all', 'm']],
      ['10.20.0.0/24 -> 0.0.0.0/0 tcp/80', ['all', 'w']],
    ],
  );
});

test('only what destination NAT translated meets an entry that asks for it', () => {
  const ways = (translated: boolean | undefined) =>
    summary(
      ruleSet(dnat(), filter(accept('t', { translated }))),
      ruleSet(dnat(relay), filter(accept('t', { translated }))),
    );
  const forward = '10.20.0.0/24 -> 203.0.113.50 tcp/443 by destination NAT of 10.20.0.1 tcp/8443';
  const plain = '10.20.0.0/24 -> 10.20.0.1 tcp/8443';
  assert.deepEqual(ways(true), [`added egress-relay relay: ${forward} | `]);
  assert.deepEqual(ways(false), [`added internal relay:  | ${plain}`]);
  assert.deepEqual(ways(undefined), [`added egress-relay relay: ${forward} | ${plain}`]);
});

/** What the first change opens. */
const opened = (before: RuleSet, after: RuleSet) =>
  diffRuleSets(before, after, { internal: DEFAULT_INTERNAL })[0].opens.map(describeOpening);

test('an input list judges the packet as it arrives', () => {
  const input = (...lines: Line[]): Chain => ({ id: 'in', sees: 'untranslated', lines });
  const arriving = accept('in', { ...lan, to: '10.20.0.1', service: 'tcp/8443' });
  const translated = accept('in', { ...lan, to: '203.0.113.50', service: 'tcp/443' });
  assert.deepEqual(opened(ruleSet(dnat(relay), input()), ruleSet(dnat(relay), input(arriving))), [
    '10.20.0.0/24 -> 203.0.113.50 tcp/443 by destination NAT of 10.20.0.1 tcp/8443',
  ]);
  assert.deepEqual(opened(ruleSet(dnat(), input(translated)), ruleSet(dnat(relay), input(translated))), []);
});

test('an output list judges the translated source', () => {
  const list = (...lines: Line[]): Chain => ({ id: 'out', sees: 'translated', lines });
  const seen = list(accept('seen', { from: '198.51.100.0/24' }));
  const to = (text: string): Translation => ({ kind: 'source', addresses: addressSet(text) });
  const ways = (translation: Translation, from = '10.20.0.0/24') => {
    const nat = snat(translate('nat', translation, { from }));
    return opened(ruleSet(nat, list()), ruleSet(nat, seen)).filter((way) => way.includes('10.20.'));
  };
  const way = '10.20.0.0/24 -> 0.0.0.0/0 any, seen as';
  assert.deepEqual(ways(to('198.51.100.7')), [`${way} 198.51.100.7`]);
  assert.deepEqual(ways(to('192.0.2.7')), []);
  assert.deepEqual(ways(to('198.51.100.254-198.51.101.1')), [`${maybe}${way} 198.51.100.254-198.51.101.1`]);
  assert.deepEqual(ways(masquerade), [`${maybe}${way} the device's own address`]);
  // One to one: of a network twice as large, the half that comes out inside.
  const half = { ...to('198.51.100.0/23'), offset: true };
  assert.deepEqual(ways(half, '10.20.0.0/23'), [`${way} 198.51.100.0/23`]);
});

test('openings of a change come gravest first', () => {
  const permit = accept('permit', { from: '10.20.0.0/24 203.0.113.77' });
  const [change] = diffRuleSets(ruleSet(dnat(relay), filter()), ruleSet(dnat(relay), filter(permit)), {
    internal: DEFAULT_INTERNAL,
  });
  assert.deepEqual(
    change.opens.map((opening) => opening.class),
    ['egress-relay', 'egress-permit', 'egress-permit', 'inbound-forward'],
  );
});

test('IPv6 is followed like IPv4, and no packet mixes the two', () => {
  const six = accept('six', { from: 'fd00::/8', to: '2001:db8::/32', service: 'udp/53' });
  assert.deepEqual(summary(ruleSet(filter()), ruleSet(filter(six))), [
    'added egress-permit six: fd00::/8 -> 2001:db8::/32 udp/53 | ',
  ]);
  assert.deepEqual(
    summary(ruleSet(filter()), ruleSet(filter(accept('mixed', { ...lan, to: '2001:db8::/32' })))),
    ['added internal mixed:  | '],
  );
});

test('a network translated one to one is filtered by its translated addresses', () => {
  const map = (to: string) =>
    dnat(
      translate(
        'map',
        { kind: 'destination', offset: true, addresses: addressSet(to) },
        { to: '10.9.0.0/24' },
      ),
    );
  const only = filter(accept('only', { ...lan, to: '198.51.100.7', service: 'tcp/443' }));
  const [change] = summary(ruleSet(dnat(), only), ruleSet(map('198.51.100.0/24'), only));
  assert.match(
    change,
    /^added egress-relay map: 10\.20\.0\.0\/24 -> .* by destination NAT of 10\.9\.0\.7 tcp\/443 \| $/,
  );
});
