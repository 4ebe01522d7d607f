// softflowd, pmacct's probes and nfreplay speak, Postern reads: counts are the exporters' own
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createCaptureStatistics } from '../../src/packets/capture.ts';
import { readCapture } from '../../src/packets/pcap.ts';
import { createNetwork, type Network } from './network.ts';
import { run, waitFor } from './processes.ts';
import { lacking } from './requirements.ts';
import { startTraffic } from './scenario.ts';

const skip = lacking(
  'ip',
  'softflowd',
  'softflowctl',
  'nfcapd',
  'nfreplay',
  'pmacctd',
  'socat',
  'tcpdump',
  'nsenter',
);
const COLLECTOR = fileURLToPath(new URL('./collector-process.ts', import.meta.url));
const POSTERN = fileURLToPath(new URL('../../src/postern.mjs', import.meta.url));
const HERE = '10.9.0.1';
const THERE = '10.9.0.2';
/** softflowd's number of a version -> the port that it exports to here. */
const PORTS = { 5: 9905, 9: 9909, 10: 9910 } as const;
const NFCAPD_PORT = 9995;
/** pmacct's plugins, in one process that feeds them the same packets: by name, where each exports to here. */
const PROBES = { v9: 9919, ipfix: 9920, sflow: 9963 } as const;
const REPLAY_PORT = 9996;
const TRAFFIC_MS = 6000;
/** Timeouts of pmacct's probes, and a round of their expiry. */
const PROBE_MS = 5000;
/** Stands for softflowd's IPFIX over TCP among its versions. */
const TCP = 4739;

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
      ['tcpdump', '--immediate-mode', '-U', '-B', '65536', '-i', 'lo', '-w', capture, 'udp'],
      { netns },
    );
    nfcapd = network.daemons.start(
      'nfcapd',
      ['nfcapd', '-p', String(NFCAPD_PORT), '-w', flows, '-t', '3600'],
      { netns },
    );
    await waitFor('tcpdump', () => network.daemons.log('tcpdump').includes('listening on'), 5000);
    for (const [version, port] of Object.entries(PORTS)) startSoftflowd(version, port);
    startCollector();
    await waitFor('the collector', () => /tcp (\d+)/.exec(network.daemons.log('collector')), 10_000);
    startSoftflowd('tcp', Number(/tcp (\d+)/.exec(network.daemons.log('collector'))?.[1]));
    // Without a listener each datagram's ICMP error would cost the next one.
    for (const port of Object.values(PROBES))
      network.daemons.start(`sink-${port}`, ['socat', '-u', `UDP-RECV:${port}`, '/dev/null'], { netns });
    startPmacctd();
    await waitFor('pmacctd', () => network.daemons.log('pmacctd').includes('link type is'), 5000);
    const traffic = [startTraffic(network, 'there', peer, [{ task: 'answer', address: THERE }])];
    // softflowd reads in blocks of several hundred packets.
    traffic.push(
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
      ]),
    );
    await sleep(TRAFFIC_MS);
    // What its probes still hold leaves when nothing new comes.
    for (const one of traffic) one.kill();
    await sleep(PROBE_MS);
    for (const version of [...Object.keys(PORTS), 'tcp']) {
      await control(version, 'expire-all');
      stated.set(version === 'tcp' ? TCP : Number(version), statistics(await control(version, 'statistics')));
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
    const transport = version === 'tcp' ? ['-P', 'tcp'] : [];
    const command = [
      'softflowd',
      '-d',
      '-i',
      'eth0',
      '-n',
      collectors,
      '-v',
      version === 'tcp' ? '10' : version,
      ...transport,
      '-t',
      'expint=1',
      ...files,
      'ip',
    ];
    network.daemons.start(`softflowd-${version}`, command, { netns });
  };
  const startCollector = () => network.daemons.start('collector', [process.execPath, COLLECTOR], { netns });
  const startPmacctd = () => {
    const file = join(network.folder, 'pmacctd.conf');
    writeFileSync(
      file,
      [
        'daemonize: false',
        'pcap_interface: eth0',
        'pcap_filter: ip',
        `plugins: nfprobe[v9], nfprobe[ipfix], sfprobe[sflow]`,
        'aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags',
        'sampling_rate[sflow]: 1',
        'nfprobe_version[v9]: 9',
        'nfprobe_version[ipfix]: 10',
        'nfprobe_timeouts: tcp=2:tcp.rst=2:tcp.fin=2:udp=2:icmp=2:general=2:maxlife=2:expint=1',
        ...(['v9', 'ipfix'] as const).map((name) => `nfprobe_receiver[${name}]: 127.0.0.1:${PROBES[name]}`),
        `sfprobe_receiver[sflow]: 127.0.0.1:${PROBES.sflow}`,
        'sfprobe_agentip[sflow]: 192.0.2.77',
        '',
      ].join('\n'),
    );
    return network.daemons.start('pmacctd', ['pmacctd', '-f', file], { netns });
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

  test("softflowd's IPFIX over TCP: flows, packets and octets are those it counted", async (t) => {
    const own = stated.get(TCP)!;
    const counts = await waitFor(
      'its records',
      () => {
        const last = /^total (.*)$/gm.exec(network.daemons.log('collector').split('\n').slice(-2)[0])?.[1];
        const found = last === undefined ? undefined : (JSON.parse(last) as Counts);
        // Records are counted a moment before their conversations leave.
        return found && found.flows >= own.flows && found.packets >= own.packets ? found : undefined;
      },
      10_000,
    );
    t.diagnostic(`softflowd ${JSON.stringify(own)}, collected ${JSON.stringify(counts)}`);
    assert.deepEqual(counts, own);
  });

  for (const name of ['v9', 'ipfix'] as const)
    test(`pmacct's ${name === 'v9' ? 'NetFlow v9' : 'IPFIX'}: records between the two hosts, of packets that can be`, async (t) => {
      const records = await decode(PROBES[name]);
      const counts = total(records);
      t.diagnostic(JSON.stringify(counts));
      const flows = records.filter(({ kind }) => kind === 'flow');
      const ends = new Set(flows.flatMap((one) => [one.sourceIPv4Address, one.destinationIPv4Address]));
      assert.deepEqual([...ends].sort(), [HERE, THERE]);
      // Its plugins do not always get every packet from its core, so the two are not held against each other.
      assert.ok(counts.packets > 100, 'there was traffic');
      for (const one of flows as readonly object[] as readonly RecordView[]) {
        const [octets, packets] = [one.octetDeltaCount ?? 0, one.packetDeltaCount ?? 0];
        assert.ok(packets > 0 && octets >= 28 * packets && octets <= 65_535 * packets, JSON.stringify(one));
      }
    });

  test("pmacct's sFlow: a record for each of its samples, between the two hosts", async (t) => {
    const records = await decode(PROBES.sflow);
    const ends = new Set(records.flatMap((one) => [one.sourceIPv4Address, one.destinationIPv4Address]));
    const sampled = samplesIn(capture, PROBES.sflow);
    t.diagnostic(`agent ${sampled}, decoded ${JSON.stringify(total(records))}`);
    assert.equal(records.length, sampled);
    assert.deepEqual([...ends].sort(), [HERE, THERE]);
    assert.ok(sampled > 100, 'there was traffic');
  });

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

/** Flow samples in the datagrams that were captured (sFlow version 5, section 5). */
function samplesIn(capture: string, port: number): number {
  let samples = 0;
  for (const { destinationPort, payload } of readCapture(capture, createCaptureStatistics())) {
    if (destinationPort !== port) continue;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    for (let at = 28, left = view.getUint32(24); left > 0; left--) {
      if (view.getUint32(at) === 1) samples++;
      at += 8 + view.getUint32(at + 4);
    }
  }
  return samples;
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
