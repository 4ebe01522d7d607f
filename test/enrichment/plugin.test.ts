import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import Fastify from 'fastify';
import enrichment from '../../enrichment/plugin.ts';
import type { Services } from '../../src/services.ts';
import { loadSettings } from '../../src/settings.ts';
import { writeMmdb } from './mmdb-writer.ts';

async function start(t: test.TestContext, environment: Record<string, string>) {
  const dataFolder = mkdtempSync(join(tmpdir(), 'postern-enrichment-'));
  const app = Fastify();
  t.after(async () => {
    await app.close();
    rmSync(dataFolder, { recursive: true });
  });
  const settings = loadSettings({ POSTERN_ENRICHMENT_FETCH: 'off', ...environment });
  const services: Partial<Services> = { settings, dataFolder, now: () => Date.UTC(2026, 0, 15) };
  app.decorate('services', services as Services);
  app.register(enrichment);
  await app.ready();
  return app;
}

function file(t: test.TestContext, name: string, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test('without any source it starts, and networks are unknown', async (t) => {
  const app = await start(t, {});
  assert.equal(app.enrichment.lookup().enrich('192.0.2.1').asn, 0);
  assert.ok(app.enrichment.status().every(({ entries }) => entries === 0));
});

test('it answers from the database and the categories that settings name', async (t) => {
  const database = writeMmdb([{ prefix: '192.0.2.0/24', record: { asn: 'AS64500', as_name: 'Lite' } }]);
  const app = await start(t, {
    POSTERN_ASN_DATABASE: file(t, 'asn.mmdb', database),
    POSTERN_CATEGORIES: file(t, 'categories.json', '{"AS64500": "vps"}'),
  });
  assert.equal(app.enrichment.lookup().enrich('192.0.2.1').name, 'Lite');
  assert.equal(app.services.enrich('192.0.2.1').category, 'vps');
  assert.equal(app.enrichment.status()[0].entries, 1);
});

test('a corrupt database is named in the status, and the service starts without it', async (t) => {
  const path = file(t, 'corrupt.mmdb', Buffer.alloc(5000, 0xcd));
  const app = await start(t, { POSTERN_ASN_DATABASE: path });
  assert.equal(app.enrichment.lookup().enrich('192.0.2.1').asn, 0);
  const [status] = app.enrichment.status();
  assert.ok(status.lastError?.includes(path));
});

test('a wrong file of categories stops the start with the entry at fault', async (t) => {
  for (const [content, expected] of [
    ['{"AS64500": "hosting"}', /AS64500 must be one of/],
    ['{"somewhere": "vps"}', /somewhere/],
    ['[]', /must be an object/],
    ['{', /cannot be read as JSON/],
  ] as const)
    await assert.rejects(start(t, { POSTERN_CATEGORIES: file(t, 'categories.json', content) }), expected);
});
