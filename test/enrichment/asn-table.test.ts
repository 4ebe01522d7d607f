import assert from 'node:assert/strict';
import test from 'node:test';
import { asnTable } from '../../enrichment/asn-table.ts';
import { CATEGORIES } from '../../src/model/enrichment.ts';

test('the table holds at least 150 autonomous systems, each once, named and reasoned', () => {
  assert.ok(asnTable.length >= 150, `${asnTable.length} rows`);
  assert.equal(new Set(asnTable.map(({ asn }) => asn)).size, asnTable.length);
  for (const { asn, name, category, reason } of asnTable) {
    assert.ok(Number.isInteger(asn) && asn > 0 && asn < 0xffff_ffff, `AS${asn}`);
    assert.ok(name.trim() === name && name.length > 1, `AS${asn} has a name`);
    assert.ok(reason.length > 2, `AS${asn} has a reason`);
    assert.ok(CATEGORIES.includes(category) && category !== 'unknown' && category !== 'tor-exit', `AS${asn}`);
  }
});

test('no private or reserved number is in it', () => {
  for (const { asn } of asnTable) {
    // RFC 6996, RFC 5398, RFC 7300, RFC 4893
    const isReserved =
      (asn >= 64_496 && asn <= 65_551 && asn !== 65_536) || asn >= 4_200_000_000 || asn === 23_456;
    assert.equal(isReserved, false, `AS${asn}`);
  }
});

test('each kind that the analytic asks about is there', () => {
  for (const category of ['cdn', 'vps', 'cloud', 'anonymous-hosting', 'vpn', 'isp'] as const)
    assert.ok(asnTable.filter((row) => row.category === category).length >= 10, category);
});
