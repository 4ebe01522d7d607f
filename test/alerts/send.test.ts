import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { guardedAddresses, isForbidden } from '../../src/alerts/guard.ts';
import { retryDelayMs } from '../../src/alerts/retry.ts';
import { readRetryAfter, send } from '../../src/alerts/send.ts';

const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const delivery = { id: 'msg_1', secret, body: '{"severity":"high"}' };
const allowed = { timeoutMs: 2000, allowedHosts: ['127.0.0.1'], nowMs: Date.now() };

let handler: RequestListener = (_request, response) => response.end();
const server = createServer((request, response) => handler(request, response));
let url: string;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('the signature is one that the standardwebhooks verifier accepts', async () => {
  let verified: unknown;
  handler = (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      verified = new Webhook(secret).verify(body, request.headers as Record<string, string>);
      response.writeHead(204).end();
    });
  };
  assert.deepEqual(await send({ ...delivery, url }, allowed), { status: 204 });
  assert.deepEqual(verified, { severity: 'high' });
});

test('a server that hangs is given up', async () => {
  handler = () => {};
  await assert.rejects(send({ ...delivery, url }, { ...allowed, timeoutMs: 200 }), {
    code: 'webhook-timeout',
  });
});

test('a 500 is the answer, and a redirect to loopback is not followed', async () => {
  handler = (_request, response) => response.writeHead(500).end('no');
  assert.equal((await send({ ...delivery, url }, allowed)).status, 500);
  let requests = 0;
  handler = (_request, response) => {
    requests++;
    response.writeHead(307, { location: url }).end();
  };
  assert.equal((await send({ ...delivery, url }, allowed)).status, 307);
  assert.equal(requests, 1);
});

test('an answer without end is cut', async () => {
  handler = (_request, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(16_384);
    const pour = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', pour);
    };
    pour();
  };
  assert.equal((await send({ ...delivery, url }, allowed)).status, 200);
});

test('loopback, link-local and metadata addresses are refused, by address and by name', async () => {
  const strict = { ...allowed, allowedHosts: [] };
  await assert.rejects(send({ ...delivery, url }, strict), { code: 'forbidden-address' });
  await assert.rejects(send({ ...delivery, url: url.replace('127.0.0.1', 'localhost') }, strict), {
    code: 'forbidden-address',
  });
  for (const address of [
    '127.9.9.9',
    '169.254.169.254',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0.0.0.0',
    'fe80::1',
    '64:ff9b::7f00:1',
    '::',
    '::7f00:1',
    '100::1',
    'nonsense',
  ])
    assert.ok(isForbidden(address), address);
  for (const address of ['10.0.0.5', '192.168.1.1', '203.0.113.9', '2001:db8::1'])
    assert.ok(!isForbidden(address), address);
  assert.throws(
    () => guardedAddresses('mixed.example', [{ address: '203.0.113.9' }, { address: '127.0.0.1' }], []),
    { code: 'forbidden-address' },
  );
});

test('decimal and short forms of loopback are refused too', async () => {
  for (const host of ['2130706433', '0x7f.1', '127.1'])
    await assert.rejects(send({ ...delivery, url: `http://${host}:1/` }, { ...allowed, allowedHosts: [] }), {
      code: 'forbidden-address',
    });
});

test('retries grow with chance over about a day, then stop', () => {
  const delays: number[] = [];
  for (let attempt = 1; ; attempt++) {
    const delay = retryDelayMs(attempt, 0.5);
    if (delay === undefined) break;
    delays.push(delay);
  }
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  assert.ok(total > 20 * 3_600_000 && total < 28 * 3_600_000);
  assert.notEqual(retryDelayMs(3, 0), retryDelayMs(3, 1));
});

test('Retry-After is heeded, in seconds or as a date, within the longest of our own waits', async () => {
  handler = (_request, response) => response.writeHead(429, { 'retry-after': '120' }).end();
  assert.deepEqual(await send({ ...delivery, url }, allowed), { status: 429, retryAfterMs: 120_000 });
  const nowMs = Date.UTC(2026, 10, 2, 12);
  assert.equal(readRetryAfter('Mon, 02 Nov 2026 12:01:00 GMT', nowMs), 60_000);
  assert.equal(readRetryAfter('Mon, 02 Nov 2026 11:00:00 GMT', nowMs), 0);
  for (const text of ['soon', '', '-5', '1e99']) assert.ok(!((readRetryAfter(text, nowMs) ?? 0) > 0), text);
  assert.equal(retryDelayMs(1, 0.5, 120_000), 120_000);
  assert.equal(retryDelayMs(1, 0.5, 1000), 5000);
  assert.equal(retryDelayMs(1, 0.5, Number.MAX_SAFE_INTEGER), 8 * 3_600_000);
  assert.equal(retryDelayMs(12, 0.5, 1000), undefined);
});
