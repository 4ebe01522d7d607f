import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecoder, type PlainRecord } from './decode-all.ts';
import {
  buildV5,
  buildV9,
  dataSet,
  type PlainFlow,
  seededRandom,
  USUAL_FIELDS,
  usualValues,
  v9Template,
} from './generate.ts';
import { openPeer, type PeerFlow, SENDER } from './peer.ts';

/** Our record in the peer's terms; times as sysUptime. */
const inPeersTerms = (record: PlainRecord, uptimeMs: number) => ({
  ipv4_src_addr: record.source,
  ipv4_dst_addr: record.destination,
  input_snmp: record.input,
  output_snmp: record.output,
  in_pkts: record.packets,
  in_bytes: record.bytes,
  first_switched: record.startMs - 1_700_000_000_000 + uptimeMs,
  last_switched: record.endMs - 1_700_000_000_000 + uptimeMs,
  protocol: record.protocol,
  tcp_flags: record.tcpFlags,
});

const pick = (flow: PeerFlow, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, flow[name]]));

test('node-netflowv9 agrees on 3,000 v5 and 3,000 v9 records', (context) => {
  const peer = openPeer();
  if (!peer) return context.skip('node-netflowv9 is not installed');
  context.after(() => peer.server.close());
  const random = seededRandom(5);
  const number = (most: number) => Math.floor(random() * most);
  const { decode } = createDecoder({}, 1_000);
  let compared = 0;
  const compare = (datagram: Uint8Array, ports: readonly [string, string]) => {
    const theirs = peer.nfPktDecode(Buffer.from(datagram), SENDER).flows;
    const ours = decode(datagram);
    assert.equal(ours.length, theirs.length);
    for (const [i, record] of ours.entries()) {
      const named = inPeersTerms(record, 1_000_000);
      assert.deepEqual(named, pick(theirs[i], Object.keys(named)));
      assert.deepEqual(
        [record.sourcePort, record.destinationPort],
        ports.map((name) => theirs[i][name]),
      );
      compared++;
    }
  };
  for (let i = 0; i < 100; i++) {
    const flows = Array.from(
      { length: 30 },
      (): PlainFlow => ({
        source: `10.${number(256)}.${number(256)}.${number(256)}`,
        destination: `${1 + number(223)}.${number(256)}.${number(256)}.${number(256)}`,
        sourcePort: number(65_536),
        destinationPort: number(65_536),
        protocol: number(256),
        bytes: number(2 ** 32),
        packets: number(2 ** 32),
        startUptimeMs: number(900_000),
        endUptimeMs: 900_000 + number(100_000),
        input: number(65_536),
        output: number(65_536),
        tcpFlags: number(256),
      }),
    );
    compare(buildV5({ sequence: i * 30 }, flows), ['ipv4_src_port', 'ipv4_dst_port']);
  }
  peer.nfPktDecode(Buffer.from(buildV9({}, v9Template(260, USUAL_FIELDS))), SENDER);
  decode(buildV9({}, v9Template(260, USUAL_FIELDS)));
  for (let i = 0; i < 100; i++) {
    const rows = Array.from({ length: 30 }, () => usualValues(number(1_000_000)));
    compare(buildV9({ sequence: i }, dataSet(260, USUAL_FIELDS, rows)), ['l4_src_port', 'l4_dst_port']);
  }
  assert.equal(compared, 6_000);
});
