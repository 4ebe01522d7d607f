import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLookup } from '../../enrichment/lookup.ts';
import { readMmdb } from '../../enrichment/mmdb.ts';
import { buildTables } from '../../enrichment/tables.ts';
import { buildInThread } from '../../enrichment/thread.ts';
import { addressSet, formatAddress } from '../../src/model/addresses.ts';
import { writeMmdb } from './mmdb-writer.ts';

const corpus = fileURLToPath(new URL('../../../shared/corpora/mmdb/', import.meta.url));
const skip = existsSync(corpus) ? false : 'the shared corpora are not here';

function temporary(t: test.TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-mmdb-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("IPinfo's schema is read, IPv4 and IPv6", (t) => {
  const path = join(temporary(t), 'ipinfo.mmdb');
  writeFileSync(
    path,
    writeMmdb([
      {
        prefix: '192.0.2.0/24',
        record: { asn: 'AS64500', as_name: 'Lite', country: 'Netherlands', country_code: 'NL' },
      },
      { prefix: '198.51.100.0/25', record: { asn: 'AS64501', name: 'Older', country: 'DE' } },
      { prefix: '203.0.113.0/24', record: { country: 'FR' } },
      { prefix: '2001:db8::/32', record: { asn: 'AS4200000001', as_name: 'Six' } },
    ]),
  );
  const { enrich } = openLookup(buildTables({ networks: readMmdb(path).ranges }));
  const told = (text: string) => [enrich(text).asn, enrich(text).name, enrich(text).country];
  assert.deepEqual(told('192.0.2.255'), [64500, 'Lite', 'NL']);
  assert.deepEqual(told('198.51.100.127'), [64501, 'Older', 'DE']);
  assert.deepEqual(told('198.51.100.128'), [0, '', '']);
  assert.deepEqual(told('203.0.113.1'), [0, '', '']);
  assert.deepEqual(told('2001:db8:ffff::'), [4_200_000_001, 'Six', '']);
});

test('neighbouring prefixes of one network become one range', (t) => {
  const path = join(temporary(t), 'asn.mmdb');
  const record = { autonomous_system_number: 64500, autonomous_system_organization: 'One' };
  writeFileSync(
    path,
    writeMmdb([
      { prefix: '192.0.2.0/25', record },
      { prefix: '192.0.2.128/25', record },
      { prefix: '192.0.4.0/24', record },
    ]),
  );
  assert.deepEqual(
    readMmdb(path).ranges.map(({ first, last }) => `${formatAddress(first)}-${formatAddress(last)}`),
    ['192.0.2.0-192.0.2.255', '192.0.4.0-192.0.4.255'],
  );
});

test("every prefix of MaxMind's test database is found", { skip }, () => {
  const rows = JSON.parse(readFileSync(join(corpus, 'GeoLite2-ASN-Test.json'), 'utf8')) as Record<
    string,
    { autonomous_system_number: number; autonomous_system_organization?: string }
  >[];
  const { ranges, builtAtMs } = readMmdb(join(corpus, 'GeoLite2-ASN-Test.mmdb'));
  const { enrich } = openLookup(buildTables({ networks: ranges }));
  assert.ok((builtAtMs ?? 0) > Date.UTC(2010, 0));
  let checked = 0;
  for (const row of rows) {
    for (const [prefix, record] of Object.entries(row)) {
      const { v4, v6 } = addressSet(prefix);
      const ends = v4.length > 0 ? [v4[0], v4[1]] : [v6[0], v6[1]];
      for (const end of ends) {
        const told = enrich(formatAddress(end));
        assert.equal(told.asn, record.autonomous_system_number, prefix);
        assert.equal(told.name, record.autonomous_system_organization ?? '', prefix);
        checked++;
      }
    }
  }
  assert.ok(checked > 100, `${checked} addresses`);
});

test('a file that is no database is refused with its name', (t) => {
  const path = join(temporary(t), 'empty.mmdb');
  for (const bytes of [Buffer.alloc(0), Buffer.from('not a database'), Buffer.alloc(100_000, 0xab)]) {
    writeFileSync(path, bytes);
    assert.throws(
      () => readMmdb(path),
      (error: Error & { code?: string }) => error.code === 'mmdb-unreadable' && error.message.includes(path),
    );
  }
  assert.throws(
    () => readMmdb(join(path, '..', 'missing.mmdb')),
    /missing\.mmdb is no readable ASN database/,
  );
});

test('a search tree that loops is refused', (t) => {
  const path = join(temporary(t), 'loop.mmdb');
  const bytes = writeMmdb([{ prefix: '192.0.2.0/24', record: { asn: 'AS64500' } }]);
  // Both children of the root are the root.
  bytes.writeUInt32BE(0, 0);
  bytes.writeUInt32BE(0, 4);
  writeFileSync(path, bytes);
  assert.throws(() => readMmdb(path), /is no readable ASN database/);
});

test('truncated at every length, a database is refused or read, and never hangs', (t) => {
  const path = join(temporary(t), 'cut.mmdb');
  const bytes = writeMmdb([{ prefix: '192.0.2.0/24', record: { asn: 'AS64500', as_name: 'Name' } }]);
  let refused = 0;
  for (let length = 0; length < bytes.length; length += 7) {
    writeFileSync(path, bytes.subarray(0, length));
    try {
      readMmdb(path);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'mmdb-unreadable');
      refused++;
    }
  }
  assert.ok(refused > 10);
});

test('corrupt databases are named in the errors, and the tables are built without them', {
  skip,
}, async (t) => {
  const folder = temporary(t);
  const bad = readdirSync(join(corpus, 'bad-data'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.mmdb'),
  );
  assert.ok(bad.length > 10);
  for (const name of bad) {
    const mmdbPath = join(corpus, 'bad-data', name);
    const result = await buildInThread({ folder, mmdbPath, operator: { '192.0.2.0/24': 'vps' } }, 20_000);
    assert.match(result.errors.mmdb ?? '', /is no readable ASN database/, name);
    assert.ok(result.errors.mmdb.includes(mmdbPath), name);
    assert.equal(openLookup(result.tables).enrich('192.0.2.1').category, 'vps', name);
  }
});

test('a database that takes too long is given up', async (t) => {
  const folder = temporary(t);
  const mmdbPath = join(folder, 'slow.mmdb');
  writeFileSync(mmdbPath, explodingMetadata());
  const began = performance.now();
  const result = await buildInThread({ folder, mmdbPath, operator: {} }, 1_500);
  assert.match(result.errors.mmdb, /slow\.mmdb is no readable ASN database: it took longer than 1500 ms/);
  assert.ok(performance.now() - began < 10_000);
});

/** Metadata of nested arrays, each holding two pointers to the next: 2^40 values to decode. */
function explodingMetadata(): Buffer {
  const depth = 40;
  const levels: Buffer[] = [];
  // Array of two (extended type 11), then two pointers of 11 bits; six bytes a level.
  for (let level = 0; level < depth; level++) {
    const target = (level + 1) * 6;
    const pointer = [0x20 | (target >> 8), target & 0xff];
    levels.push(Buffer.from([0x02, 0x04, ...pointer, ...pointer]));
  }
  const leaf = Buffer.from([0x41, 0x61]);
  return Buffer.concat([Buffer.alloc(64), Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), ...levels, leaf]);
}
