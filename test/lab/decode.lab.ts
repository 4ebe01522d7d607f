// softflowd and nfprobe export, tcpdump captures, `postern decode` prints what they counted
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NamedRecord } from '../../src/packets/fields.ts';
import { readNamedRecords } from '../../src/packets/fields.ts';
import { readCapture } from '../../src/packets/pcap.ts';
import { createSession } from '../../src/packets/session.ts';
import { ethernet, frameOf, ipv4, pcap, tcp, udp } from '../packets/capture-files.ts';
import { compareWithPeer, openPeer, SENDER } from '../packets/peer.ts';
import { decode } from '../packets/run-decode.ts';
import { createNetwork, type Network } from './network.ts';
import { run, waitFor } from './processes.ts';
import { lacking } from './requirements.ts';

const skip = lacking('ip', 'softflowd', 'pmacctd', 'socat', 'tcpdump', 'nsenter');
const FLOWS = 400;
const PACKETS = 3 * FLOWS;
/** IP headers of 20 bytes; TCP of 20 and UDP of 8; payloads of 20 and 30. */
const OCTETS = (FLOWS / 2) * 3 * (60 + 58);
/** Fragments what exporters send in datagrams of 1.4 kB. */
const MTU = 1_280;

/** For the captures to keep up: they are several. */
const PAUSE_MS = 300;

/** What is exported, by the port it goes to. */
const SOFTFLOWD = { 9901: '1', 9905: '5', 9909: '9', 9910: '10' } as const;
const SOFTFLOWD_V6_PORT = 9919;
const SOFTFLOWD_TCP_PORT = 4739;
const NFPROBE = { 9929: '9', 9930: '10' } as const;

/** tcpdump's options: Ethernet, both Linux cooked forms (whose buffer holds few frames of 256 kB), nanoseconds, frames cut off. */
const CAPTURES = {
  ethernet: ['-i', 'lo'],
  cooked2: ['-i', 'any', '-y', 'LINUX_SLL2', '-s', '2000'],
  cooked: ['-i', 'any', '-y', 'LINUX_SLL', '-s', '2000'],
  nano: ['-i', 'lo', '--time-stamp-precision=nano'],
  short: ['-i', 'lo', '-s', '100'],
} as const;
type CaptureName = keyof typeof CAPTURES;

describe('captures of real exporters', { skip }, () => {
  let network: Network;
  const pathOf = (name: CaptureName) => join(network.folder, `${name}.pcap`);

  before(async () => {
    network = await createNetwork();
    const netns = await network.namespace('d');
    await run(['ip', 'link', 'set', 'lo', 'mtu', String(MTU)], { netns });
    const traffic = join(network.folder, 'traffic.pcap');
    writeFileSync(traffic, trafficCapture());
    for (const [name, options] of Object.entries(CAPTURES)) {
      const command = ['tcpdump', '--immediate-mode', '-U', '-B', '16384', ...options];
      network.daemons.start(name, [...command, '-w', join(network.folder, `${name}.pcap`)], { netns });
      await waitFor('tcpdump', () => network.daemons.log(name).includes('listening on'), 5_000);
    }
    // Without a listener each datagram's ICMP error would cost the next one.
    const ports = [...Object.keys(SOFTFLOWD), ...Object.keys(NFPROBE), SOFTFLOWD_V6_PORT];
    for (const port of ports)
      network.daemons.start(`sink-${port}`, ['socat', '-u', `UDP6-RECV:${port},ipv6-v6only=0`, '/dev/null'], {
        netns,
      });
    const listen = ['socat', '-u', `TCP-LISTEN:${SOFTFLOWD_TCP_PORT}`, '/dev/null'];
    network.daemons.start('listener', listen, { netns });
    await sleep(300);
    const softflowd = async (target: string, version: string, ...options: readonly string[]) => {
      await run(['softflowd', '-d', '-r', traffic, '-n', target, '-v', version, ...options], { netns });
      await sleep(PAUSE_MS);
    };
    for (const [port, version] of Object.entries(SOFTFLOWD)) await softflowd(`127.0.0.1:${port}`, version);
    await softflowd(`[::1]:${SOFTFLOWD_V6_PORT}`, '9');
    await softflowd(`127.0.0.1:${SOFTFLOWD_TCP_PORT}`, '10', '-P', 'tcp');
    for (const [port, version] of Object.entries(NFPROBE)) {
      const file = join(network.folder, `pmacctd-${version}.conf`);
      writeFileSync(file, pmacctdSettings(traffic, port, version));
      await run(['pmacctd', '-f', file], { netns });
    }
    await sleep(1_000);
    await network.daemons.stopAll();
  });

  after(() => network?.remove());

  for (const name of ['ethernet', 'cooked2', 'cooked', 'nano'] as const)
    test(`${name}: every flow, packet and octet of every exporter`, (t) => {
      const { status, stderr } = decode(pathOf(name));
      assert.equal(status, 0);
      t.diagnostic(stderr.trim());
      assert.match(network.daemons.log(name), /\n0 packets dropped by kernel/);
      assert.doesNotMatch(stderr, /malformed|without|incomplete|gaps|missing|cut off|inside a frame/);
      const whole = { flows: FLOWS, packets: PACKETS, octets: OCTETS };
      for (const port of [
        ...Object.keys(SOFTFLOWD),
        ...Object.keys(NFPROBE),
        SOFTFLOWD_V6_PORT,
        SOFTFLOWD_TCP_PORT,
      ])
        assert.deepEqual(total(decode('--port', String(port), pathOf(name)).records), whole, `port ${port}`);
    });

  test('some of it came in fragments, over IPv4 and IPv6', async () => {
    const text = await run(['tcpdump', '-n', '-r', pathOf('ethernet')]);
    assert.match(text, /IP 127\.0\.0\.1 > 127\.0\.0\.1: ip-proto-17/);
    assert.match(text, /frag \(/);
  });

  test('frames that tcpdump cut are counted, and said', () => {
    const { status, records, stderr } = decode(pathOf('short'));
    assert.equal(status, 0);
    assert.ok(records.length < FLOWS);
    assert.match(stderr, /\d+ frames cut off by the snap length/);
  });

  test('node-netflowv9 agrees on every field of every v5 and v9 record in them', (t) => {
    const peer = openPeer();
    if (!peer) return t.skip('node-netflowv9 is not installed');
    peer.server.close();
    const sessions = new Map<number, ReturnType<typeof createSession>>();
    const count = { records: 0, fields: 0 };
    for (const { payload, sourcePort } of readCapture(pathOf('ethernet'))) {
      if (payload[0] !== 0 || (payload[1] !== 5 && payload[1] !== 9)) continue;
      const session = sessions.get(sourcePort) ?? createSession('127.0.0.1');
      sessions.set(sourcePort, session);
      const records: NamedRecord[] = [];
      readNamedRecords(session, payload, 1_700_000_000_000, (record) => records.push(record));
      const { flows } = peer.nfPktDecode(Buffer.from(payload), { ...SENDER, port: sourcePort });
      assert.equal(records.length, flows?.length ?? 0);
      for (const [i, flow] of (flows ?? []).entries()) {
        count.records++;
        count.fields += compareWithPeer(records[i], flow, `${sourcePort} ${i}`);
      }
    }
    t.diagnostic(JSON.stringify(count));
    // softflowd's v5 and v9 (over IPv4 and IPv6), nfprobe's v9; options besides.
    assert.ok(count.records >= 4 * FLOWS, `${count.records}`);
  });
});

/** Each flow three packets, TCP and UDP by turns. */
function trafficCapture(): Uint8Array {
  const frames = Array.from({ length: FLOWS }, (_, i) => {
    const isTcp = i % 2 === 1;
    const ends = {
      source: `10.0.${i >> 6}.${i & 63}`,
      destination: '198.18.0.9',
      sourcePort: 1_024 + i,
      destinationPort: isTcp ? 443 : 53,
    };
    return [0, 1, 2].map((k) => {
      const body = isTcp ? tcp(ends, k * 20, new Uint8Array(20)) : udp(ends, new Uint8Array(30));
      return frameOf(
        ethernet(0x0800, ipv4(ends, body, 0, k, isTcp ? 6 : 17)),
        1_700_000_000 + (i >> 5),
        k * 1_000,
      );
    });
  });
  return pcap(frames.flat());
}

const pmacctdSettings = (traffic: string, port: string, version: string) =>
  [
    'daemonize: false',
    `pcap_savefile: ${traffic}`,
    'plugins: nfprobe',
    'aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags',
    `nfprobe_receiver: 127.0.0.1:${port}`,
    `nfprobe_version: ${version}`,
    '',
  ].join('\n');

interface RecordView {
  readonly kind: string;
  readonly packetDeltaCount?: number;
  readonly octetDeltaCount?: number;
}

function total(records: readonly RecordView[]) {
  const flows = records.filter(({ kind }) => kind === 'flow');
  const sum = (key: 'packetDeltaCount' | 'octetDeltaCount') =>
    flows.reduce((all, record) => all + (record[key] ?? 0), 0);
  return { flows: flows.length, packets: sum('packetDeltaCount'), octets: sum('octetDeltaCount') };
}
