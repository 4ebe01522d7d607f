// softflowd and nfreplay speak, `postern decode` reads: counts are the exporters' own
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createNetwork, type Network } from './network.ts';
import { run, waitFor } from './processes.ts';
import { lacking } from './requirements.ts';
import { startTraffic } from './scenario.ts';

const skip = lacking('ip', 'softflowd', 'softflowctl', 'nfcapd', 'nfreplay', 'tcpdump', 'nsenter');
const POSTERN = fileURLToPath(new URL('../../src/postern.mjs', import.meta.url));
const HERE = '10.9.0.1';
const THERE = '10.9.0.2';
/** softflowd's number of a version -> the port that it exports to here. */
const PORTS = { 5: 9905, 9: 9909, 10: 9910 } as const;
const NFCAPD_PORT = 9995;
const REPLAY_PORT = 9996;
const TRAFFIC_MS = 6000;

interface Counts {
  readonly flows: number;
  readonly packets: number;
  readonly octets: number;
}

describe('real exporters', { skip }, () => {
  let network: Network;
  let netns: string;
  let capture: string;
  let nfcapd: ChildProcess;
  const stated = new Map<number, Counts>();

  before(async () => {
    network = await createNetwork();
    netns = await network.namespace('x');
    const peer = await network.namespace('y');
    await network.join(
      { netns, name: 'eth0', addresses: [`${HERE}/24`] },
      { netns: peer, name: 'eth0', addresses: [`${THERE}/24`] },
    );
    capture = join(network.folder, 'exports.pcap');
    const flows = join(network.folder, 'nfcapd');
    mkdirSync(flows);
    network.daemons.start(
      'tcpdump',
      ['tcpdump', '--immediate-mode', '-U', '-i', 'lo', '-w', capture, 'udp'],
      { netns },
    );
    nfcapd = network.daemons.start(
      'nfcapd',
      ['nfcapd', '-p', String(NFCAPD_PORT), '-w', flows, '-t', '3600'],
      { netns },
    );
    await waitFor('tcpdump', () => network.daemons.log('tcpdump').includes('listening on'), 5000);
    for (const [version, port] of Object.entries(PORTS)) startSoftflowd(version, port);
    startTraffic(network, 'there', peer, [{ task: 'answer', address: THERE }]);
    // softflowd reads in blocks of several hundred packets.
    startTraffic(network, 'here', netns, [
      {
        task: 'stream',
        from: HERE,
        to: THERE,
        port: 443,
        packetsPerSecond: 500,
        answeredShare: 0.5,
        answers: 1,
      },
      { task: 'fetch', from: HERE, to: THERE, byteCount: 50_000, everyMs: 250 },
    ]);
    await sleep(TRAFFIC_MS);
    for (const version of Object.keys(PORTS)) {
      await control(version, 'expire-all');
      stated.set(Number(version), statistics(await control(version, 'statistics')));
    }
  });

  after(() => network?.remove());

  const socketOf = (version: string) => join(network.folder, `softflowd-${version}.ctl`);
  const control = (version: string, command: string) =>
    run(['softflowctl', '-c', socketOf(version), command]);
  const startSoftflowd = (version: string, port: number) => {
    const collectors = version === '9' ? `127.0.0.1:${port},127.0.0.1:${NFCAPD_PORT}` : `127.0.0.1:${port}`;
    const files = ['-c', socketOf(version), '-p', join(network.folder, `softflowd-${version}.pid`)];
    // Filtered to what NetFlow v5 can express, so that all three say the same.
    const command = [
      'softflowd',
      '-d',
      '-i',
      'eth0',
      '-n',
      collectors,
      '-v',
      version,
      '-t',
      'expint=1',
      ...files,
      'ip',
    ];
    network.daemons.start(`softflowd-${version}`, command, { netns });
  };
  const decode = async (port: number): Promise<Record<string, never>[]> => {
    const text = await run([process.execPath, POSTERN, 'decode', '--port', String(port), capture]);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };

  for (const [version, port] of Object.entries(PORTS)) {
    test(`softflowd's ${version === '10' ? 'IPFIX' : `NetFlow v${version}`}: flows, packets and octets are those it counted`, async (t) => {
      const own = stated.get(Number(version))!;
      const counts = total(await decode(port));
      t.diagnostic(`softflowd ${JSON.stringify(own)}, decoded ${JSON.stringify(counts)}`);
      assert.deepEqual(counts, own);
      assert.ok(counts.packets > 300, 'there was traffic');
    });
  }

  for (const version of ['5', '9'] as const) {
    test(`nfreplay's NetFlow v${version}: what nfcapd had collected`, async (t) => {
      const folder = join(network.folder, 'nfcapd');
      nfcapd.kill();
      const file = await waitFor(
        'the file of nfcapd',
        () => readdirSync(folder).find((name) => /^nfcapd\.\d+$/.test(name)),
        5000,
      );
      const port = REPLAY_PORT + Number(version);
      const replay = ['nfreplay', '-H', '127.0.0.1', '-p', String(port), '-v', version];
      await run([...replay, '-r', join(folder, file)], { netns });
      await sleep(200);
      const counts = total(await decode(port));
      t.diagnostic(`decoded ${JSON.stringify(counts)}`);
      assert.deepEqual(counts, stated.get(9));
    });
  }
});

interface RecordView {
  readonly kind: string;
  readonly packetDeltaCount?: number;
  readonly octetDeltaCount?: number;
}

function total(records: readonly object[]): Counts {
  const flows = (records as RecordView[]).filter(({ kind }) => kind === 'flow');
  const sum = (of: (record: RecordView) => number | undefined) =>
    flows.reduce((all, record) => all + (of(record) ?? 0), 0);
  return {
    flows: flows.length,
    packets: sum((record) => record.packetDeltaCount),
    octets: sum((record) => record.octetDeltaCount),
  };
}

/** Of `softflowctl statistics`; octets and packets are of flows that ended, which all have by then. */
function statistics(text: string): Counts {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
  const perProtocol = [...text.matchAll(/^ *\S+ \(\d+\): +(\d+) +(\d+) /gm)];
  const sum = (column: number) => perProtocol.reduce((all, match) => all + Number(match[column]), 0);
  const packets = sum(2);
  assert.equal(packets, number(/Packets processed: (\d+)/), text);
  return { flows: number(/Flows exported: .*\((\d+) records\)/), packets, octets: sum(1) };
}
