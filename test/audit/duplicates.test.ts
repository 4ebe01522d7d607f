// recorded flows of two exporters that show the same packets: the numbers of an alert are those of one
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { DeviceAlert } from '../../src/model/alert.ts';
import { writeScenario } from './scenario.ts';

const main = resolve(import.meta.dirname, '../../src/postern.mjs');
const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
/** Of an IPv4 packet: the last byte of the sender's address. */
const SENDER = 12 + 3;
const HOST = Buffer.from([10, 20, 0, 10]);

async function lastAlert(prepare: (folder: string) => Promise<void>): Promise<DeviceAlert> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-duplicates-'));
  try {
    const args = await writeScenario(folder, { returnRatio: 0.004 });
    await prepare(folder);
    const text = await new Promise<string>((settle) => {
      execFile(process.execPath, [main, 'audit', ...args], { maxBuffer: 2 ** 26 }, (_error, stdout) =>
        settle(stdout),
      );
    });
    return JSON.parse(text.trim().split('\n').at(-1)!) as DeviceAlert;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Each record of the capture becomes what `copies` makes of it. */
async function rewrite(folder: string, copies: (record: Buffer) => readonly Buffer[]): Promise<void> {
  const bytes = await readFile(join(folder, 'flows.pcap'));
  const parts: Buffer[] = [bytes.subarray(0, PCAP_HEADER)];
  for (let at = PCAP_HEADER; at < bytes.length; ) {
    const record = bytes.subarray(at, at + RECORD_HEADER + bytes.readUInt32LE(at + 8));
    parts.push(...copies(record));
    at += record.length;
  }
  await writeFile(join(folder, 'flows.pcap'), Buffer.concat(parts));
}

/** 10.20.0.10 has a twin: one conversation alone says too little of two exporters. */
const addHost = (folder: string) =>
  rewrite(folder, (record) => {
    const copy = Buffer.from(record);
    for (let at = copy.indexOf(HOST); at >= 0; at = copy.indexOf(HOST, at + 1)) copy[at + 3] = 30;
    return [record, copy];
  });

/** Each datagram once more from 192.0.2.3, which the site names as an exporter of the device, too. */
async function addExporter(folder: string): Promise<void> {
  await addHost(folder);
  await rewrite(folder, (record) => {
    const copy = Buffer.from(record);
    assert.equal(copy[RECORD_HEADER + SENDER], 2);
    copy[RECORD_HEADER + SENDER] = 3;
    return [record, copy];
  });
  const site = JSON.parse(await readFile(join(folder, 'site.json'), 'utf8'));
  site.devices[0].exporters.push('192.0.2.3');
  await writeFile(join(folder, 'site.json'), JSON.stringify(site));
}

test('an alert over two exporters of the same packets has the numbers of one, and says which was left out', async () => {
  const one = await lastAlert(addHost);
  const two = await lastAlert(addExporter);
  const figures = ({ severity, destinations, flows }: DeviceAlert) => ({
    severity,
    destinations: destinations.map(({ address, outPackets }) => [address, outPackets]),
    returnRatio: flows.returnRatio,
  });
  assert.deepEqual(figures(two), figures(one));
  assert.ok(
    two.notes.some((note) =>
      /^what 192\.0\.2\.3 shows on interface \d+ is left out where 192\.0\.2\.2 /.test(note),
    ),
    two.notes.join('; '),
  );
});
