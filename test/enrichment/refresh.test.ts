import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { isDue, refreshSource } from '../../enrichment/refresh.ts';
import { createEnrichment } from '../../enrichment/service.ts';
import { DAY_MS, HOUR_MS } from '../../enrichment/source.ts';
import { iptoasn } from '../../enrichment/sources/iptoasn.ts';
import { tor } from '../../enrichment/sources/tor.ts';
import { readRecords } from '../../enrichment/status.ts';
import type { Category } from '../../src/model/enrichment.ts';

const NOW_MS = Date.UTC(2026, 0, 15);
const ASN_ROWS =
  '192.0.2.0\t192.0.2.255\t64500\tNL\tEXAMPLE\n203.0.113.0\t203.0.113.255\t20473\tUS\tAS-VULTR\n';

async function serve(t: test.TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function temporary(t: test.TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-enrichment-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('lists are fetched, stored, and answer lookups; their status says how old they are', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/asn.gz') response.end(gzipSync(ASN_ROWS));
    else if (request.url === '/tor') response.end('203.0.113.7\n');
    else if (request.url === '/fastly')
      response.end(JSON.stringify({ addresses: ['198.51.100.0/24'], ipv6_addresses: [] }));
    else response.writeHead(404).end();
  });
  const folder = temporary(t);
  const options = {
    folder,
    mayFetch: true,
    urls: {
      POSTERN_IPTOASN_URL: `${url}/asn.gz`,
      POSTERN_TOR_EXITS_URL: `${url}/tor`,
      POSTERN_FASTLY_RANGES_URL: `${url}/fastly`,
      POSTERN_AWS_RANGES_URL: 'off',
    },
    now: () => NOW_MS,
  };
  const enrichment = createEnrichment(options);
  assert.equal(enrichment.lookup().enrich('203.0.113.1').category, 'unknown');
  let calls = 0;
  enrichment.onTables(() => calls++);
  await enrichment.refresh();
  const { enrich } = enrichment.lookup();
  assert.equal(enrich('203.0.113.1').category, 'vps');
  assert.equal(enrich('203.0.113.1').name, 'AS-VULTR');
  assert.equal(enrich('203.0.113.7').category, 'tor-exit');
  assert.equal(enrich('198.51.100.1').categorySource, 'provider:fastly');
  assert.equal(enrich('192.0.2.1').asn, 64500);
  assert.equal(calls, 1);
  assert.deepEqual(
    enrichment.status().map(({ name, entries, asOfMs, lastError }) => [name, entries, asOfMs, lastError]),
    [
      ['iptoasn', 2, NOW_MS, undefined],
      ['tor-exits', 1, NOW_MS, undefined],
      ['fastly', 1, NOW_MS, undefined],
    ],
  );
  // Another start finds it all on disk and fetches nothing.
  const later = createEnrichment({ ...options, mayFetch: false });
  await later.reload();
  assert.equal(later.lookup().enrich('203.0.113.7').category, 'tor-exit');
});

type Failure = { readonly name: string; readonly error: RegExp; readonly answer: RequestListener };
const failures: Failure[] = [
  { name: 'answers 500', error: /answered 500/, answer: (_, response) => response.writeHead(500).end('no') },
  { name: 'hangs', error: /within 400 ms/, answer: () => undefined },
  {
    name: 'hangs half-way',
    error: /within 400 ms/,
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('192.0.2.1\n');
    },
  },
  {
    name: 'announces more than is allowed',
    error: /larger than 4194304 bytes/,
    answer: (_, response) => response.writeHead(200, { 'content-length': String(5 << 20) }).flushHeaders(),
  },
  {
    name: 'sends more than is allowed',
    error: /larger than 4194304 bytes/,
    answer: (_, response) => {
      const chunk = Buffer.alloc(1 << 16, '192.0.2.1\n');
      const more = () => {
        while (response.write(chunk));
      };
      response.on('drain', more).on('error', () => undefined);
      more();
    },
  },
  {
    name: 'sends garbage',
    error: /only 0 of 1/,
    answer: (_, response) => response.end('<html>hello</html>'),
  },
  { name: 'sends nothing', error: /empty/, answer: (_, response) => response.end() },
  { name: 'closes', error: /fetch failed/, answer: (request) => request.socket.destroy() },
  { name: 'shrinks', error: /shrank from 30 to 1/, answer: (_, response) => response.end('192.0.2.1\n') },
];

for (const { name, error, answer } of failures) {
  test(`a publisher that ${name}: the old list is kept, the error and its age are told`, async (t) => {
    const folder = temporary(t);
    const list = Array.from({ length: 30 }, (_, i) => `192.0.2.${i}\n`).join('');
    let isBroken = false;
    const url = await serve(t, (request, response) => {
      if (isBroken) answer(request, response);
      else response.end(list);
    });
    const at = (nowMs: number) => ({ folder, nowMs, timeoutMs: 400 });
    assert.equal(await refreshSource(tor, url, { folder, nowMs: NOW_MS }), 'replaced');
    isBroken = true;
    assert.equal(await refreshSource(tor, url, at(NOW_MS + DAY_MS)), 'failed');
    assert.equal(readFileSync(join(folder, tor.name), 'utf8'), list);
    const record = readRecords(folder)[tor.name];
    assert.match(record.lastError ?? '', error);
    assert.equal(record.asOfMs, NOW_MS);
    assert.equal(record.lastAttemptMs, NOW_MS + DAY_MS);
    assert.equal(record.entries, 30);
    assert.deepEqual(readdirSync(folder).sort(), ['status.json', tor.name]);
    const enrichment = createEnrichment({
      folder,
      mayFetch: false,
      urls: { POSTERN_TOR_EXITS_URL: url },
      now: () => NOW_MS + DAY_MS,
    });
    await enrichment.reload();
    assert.equal(enrichment.lookup().enrich('192.0.2.29').category, 'tor-exit');
    const [status] = enrichment.status();
    assert.equal(status.asOfMs, NOW_MS);
    assert.match(status.lastError ?? '', error);
  });
}

test('a list that did not change is asked for by its etag and not sent again', async (t) => {
  const folder = temporary(t);
  let sent = 0;
  const url = await serve(t, (request, response) => {
    if (request.headers['if-none-match'] === '"one"') {
      response.writeHead(304).end();
      return;
    }
    sent++;
    response.writeHead(200, { etag: '"one"' }).end('192.0.2.1\n');
  });
  assert.equal(await refreshSource(tor, url, { folder, nowMs: NOW_MS }), 'replaced');
  assert.equal(await refreshSource(tor, url, { folder, nowMs: NOW_MS + DAY_MS }), 'unchanged');
  assert.equal(sent, 1);
  assert.equal(readRecords(folder)[tor.name].asOfMs, NOW_MS + DAY_MS);
  assert.equal(await refreshSource(tor, url, { folder, nowMs: NOW_MS + 2 * DAY_MS }), 'unchanged');
});

test('a list is due at its interval, after a failure sooner, and at once under another address', async (t) => {
  const folder = temporary(t);
  let isBroken = false;
  const url = await serve(t, (_, response) => {
    if (isBroken) response.writeHead(500).end();
    else response.end(ASN_ROWS);
  });
  const due = (afterMs: number, address = url) => isDue(iptoasn, address, folder, NOW_MS + afterMs);
  assert.equal(due(0), true);
  await refreshSource(iptoasn, url, { folder, nowMs: NOW_MS });
  assert.deepEqual([due(DAY_MS - 1), due(DAY_MS), due(1, `${url}/other`)], [false, true, true]);
  isBroken = true;
  await refreshSource(iptoasn, url, { folder, nowMs: NOW_MS });
  assert.deepEqual([due(HOUR_MS - 1), due(HOUR_MS)], [false, true]);
});

test('nothing is fetched where fetching is off', async (t) => {
  let requests = 0;
  const url = await serve(t, (_, response) => {
    requests++;
    response.end(ASN_ROWS);
  });
  const enrichment = createEnrichment({
    folder: temporary(t),
    mayFetch: false,
    operator: { '192.0.2.0/24': 'vps' satisfies Category },
    urls: { POSTERN_IPTOASN_URL: url },
    now: () => NOW_MS,
  });
  await enrichment.refresh({ force: true });
  await enrichment.reload();
  assert.equal(requests, 0);
  assert.equal(enrichment.lookup().enrich('192.0.2.1').category, 'vps');
  assert.equal(enrichment.lookup().enrich('192.0.2.1').asn, 0);
});
