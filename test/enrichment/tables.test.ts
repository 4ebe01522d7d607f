import assert from 'node:assert/strict';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { openLookup, UNKNOWN } from '../../enrichment/lookup.ts';
import type { Network } from '../../enrichment/pack.ts';
import { buildTables, type CategoryRange, type NetworkRange } from '../../enrichment/tables.ts';
import { addressSet } from '../../src/model/addresses.ts';
import type { Category } from '../../src/model/enrichment.ts';

const network = (asn: number, country = 'NL'): Network => ({ asn, name: `Network ${asn}`, country });

function range<V>(text: string, value: V): { first: number | bigint; last: number | bigint; value: V } {
  const { v4, v6 } = addressSet(text);
  return v4.length > 0 ? { first: v4[0], last: v4[1], value } : { first: v6[0], last: v6[1], value };
}

const networks: NetworkRange[] = [
  range('192.0.2.0/24', network(64500)),
  range('198.51.100.0/24', network(13335)),
  range('203.0.113.0/24', network(20473)),
  range('2001:db8::/32', network(64501, '')),
  range('2001:db8:1::/48', network(24940)),
];
const category = (text: string, value: Category): CategoryRange => range(text, value);

test('an address gets the network and the category of our table', () => {
  const { enrich } = openLookup(buildTables({ networks }));
  assert.deepEqual(enrich('203.0.113.255'), {
    asn: 20473,
    name: 'Network 20473',
    country: 'NL',
    category: 'vps',
    categorySource: 'asn-table',
  });
  assert.equal(enrich('198.51.100.0').category, 'cdn');
  assert.deepEqual(enrich('192.0.2.7'), {
    asn: 64500,
    name: 'Network 64500',
    country: 'NL',
    category: 'unknown',
    categorySource: 'none',
  });
});

test('an address outside all ranges, and text that is no address, is unknown', () => {
  const { enrich } = openLookup(buildTables({ networks }));
  for (const text of ['192.0.1.255', '192.0.3.0', '0.0.0.0', '255.255.255.255', '::', 'ffff::', '', 'router'])
    assert.deepEqual(enrich(text), UNKNOWN, text);
});

test('the most specific range wins in both families', () => {
  const { enrich } = openLookup(
    buildTables({
      networks: [...networks, range('192.0.2.128/25', network(64502)), range('192.0.2.200', network(64503))],
    }),
  );
  assert.deepEqual(
    ['192.0.2.127', '192.0.2.128', '192.0.2.199', '192.0.2.200', '192.0.2.201', '192.0.2.255'].map(
      (text) => enrich(text).asn,
    ),
    [64500, 64502, 64502, 64503, 64502, 64502],
  );
  assert.equal(enrich('2001:db8:1:ffff::1').asn, 24940);
  assert.equal(enrich('2001:db8:2::').asn, 64501);
  assert.equal(enrich('2001:db8::').country, '');
});

test('IPv4-mapped text is its IPv4 address', () => {
  const { enrich } = openLookup(buildTables({ networks }));
  assert.equal(enrich('::ffff:192.0.2.7').asn, 64500);
});

test('the operator goes before Tor, Tor before providers, providers before our table', () => {
  const { enrich } = openLookup(
    buildTables({
      networks,
      tor: [
        category('203.0.113.5', 'tor-exit'),
        category('203.0.113.6', 'tor-exit'),
        category('192.0.2.9', 'tor-exit'),
      ],
      providers: [{ name: 'made-up', ranges: [category('203.0.113.0/28', 'cloud')] }],
      operator: { '203.0.113.6': 'isp', AS64500: 'vps', '192.0.2.0/30': 'cdn' },
    }),
  );
  const told = (text: string) => [enrich(text).category, enrich(text).categorySource];
  assert.deepEqual(told('203.0.113.5'), ['tor-exit', 'tor']);
  assert.deepEqual(told('203.0.113.6'), ['isp', 'operator']);
  assert.deepEqual(told('203.0.113.7'), ['cloud', 'provider:made-up']);
  assert.deepEqual(told('203.0.113.16'), ['vps', 'asn-table']);
  assert.deepEqual(told('192.0.2.9'), ['vps', 'operator'], 'an operator ASN goes before Tor');
  assert.deepEqual(told('192.0.2.1'), ['cdn', 'operator'], 'an operator prefix goes before an operator ASN');
});

test('categories are known without any networks', () => {
  const { enrich } = openLookup(
    buildTables({ operator: { '198.51.100.0/24': 'vps', '2001:db8::/32': 'cdn' } }),
  );
  assert.deepEqual(enrich('198.51.100.9'), { ...UNKNOWN, category: 'vps', categorySource: 'operator' });
  assert.equal(enrich('2001:db8::9').category, 'cdn');
});

test("an operator's key that is neither ASN nor prefix is refused", () => {
  assert.throws(() => buildTables({ operator: { 'AS-made-up': 'vps' } }), TypeError);
});

test('random overlapping prefixes agree with a search through all of them', () => {
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const ranges = new Map<string, NetworkRange>();
  for (let i = 0; i < 300; i++) {
    const isSix = next(2) === 1;
    const text = isSix
      ? `20${next(3)}0:${next(2)}::${next(4).toString(16)}${next(10)}00/${110 + next(19)}`
      : `10.${next(2)}.${next(256)}.${next(256)}/${12 + next(21)}`;
    const made = range(text, network(i + 1));
    ranges.set(`${made.first}/${made.last}`, made);
  }
  const all = [...ranges.values()];
  const { enrich } = openLookup(buildTables({ networks: all }));
  const expected = (text: string) => {
    const address = range(text, 0).first;
    const holding = all.filter(
      ({ first, last }) => typeof first === typeof address && first <= address && address <= last,
    );
    holding.sort((a, b) => Number(BigInt(a.last) - BigInt(a.first) - (BigInt(b.last) - BigInt(b.first))));
    return holding[0]?.value.asn ?? 0;
  };
  let known = 0;
  for (let i = 0; i < 3000; i++) {
    const text =
      i % 2 === 0
        ? `10.${next(2)}.${next(256)}.${next(256)}`
        : `20${next(3)}0:${next(2)}::${next(4).toString(16)}${next(10)}${next(10)}${next(10)}`;
    const asn = enrich(text).asn;
    assert.equal(asn, expected(text), text);
    if (asn !== 0) known++;
  }
  assert.ok(known > 300, `the addresses hit ranges (${known})`);
});

test('a thread reads the same memory', async () => {
  const tables = buildTables({ networks });
  assert.ok(tables.v4Starts.buffer instanceof SharedArrayBuffer);
  const lookupUrl = new URL('../../enrichment/lookup.ts', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(${JSON.stringify(lookupUrl)}).then(({ openLookup }) => parentPort.postMessage(openLookup(workerData).enrich('203.0.113.9')));`,
    { eval: true, workerData: tables },
  );
  const told = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  assert.deepEqual(told, openLookup(tables).enrich('203.0.113.9'));
});
