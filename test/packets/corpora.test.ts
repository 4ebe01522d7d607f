import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type NamedRecord, readNamedRecords } from '../../src/packets/fields.ts';
import { createSession } from '../../src/packets/session.ts';
import { createDecoder } from './decode-all.ts';

const FOLDER = new URL('../../../shared/corpora/flows/', import.meta.url);
const skip = existsSync(FOLDER) ? false : 'the recorded datagrams are not here';

interface Group {
  readonly slug: string;
  readonly files: readonly string[];
  readonly golden_events: number;
}
interface Expected {
  readonly expected_event_count: number | null;
  readonly events: readonly { readonly netflow: Readonly<Record<string, unknown>> }[];
}

const readJson = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as T;
const groups = skip ? [] : readJson<Group[]>('groups.json');

/** Groups without a stated count: what their datagrams hold, by hand. */
const COUNTED_BY_HAND: Readonly<Record<string, number>> = {
  // A header count of 163 in a datagram of 30 records.
  'netflow-5-invalid-02': 0,
  // 29 flows, one options record.
  'netflow-9-macaddress': 30,
  // Sound but for the header's count: two flows, one options record.
  'netflow-9-invalid-01': 3,
  'netflow-9-cisco-wlc-8500-release-8-2': 0,
  'netflow-9-cisco-asr1001-x': 25,
};

/** The samples' names for NetFlow v5 and v9 fields that have an IANA name. */
const IANA_NAMES: Readonly<Record<string, string>> = {
  ipv4_src_addr: 'sourceIPv4Address',
  ipv4_dst_addr: 'destinationIPv4Address',
  ipv4_next_hop: 'ipNextHopIPv4Address',
  bgp_ipv4_next_hop: 'bgpNextHopIPv4Address',
  l4_src_port: 'sourceTransportPort',
  l4_dst_port: 'destinationTransportPort',
  tcp_src_port: 'tcpSourcePort',
  udp_dst_port: 'udpDestinationPort',
  in_bytes: 'octetDeltaCount',
  in_pkts: 'packetDeltaCount',
  out_bytes: 'postOctetDeltaCount',
  out_pkts: 'postPacketDeltaCount',
  in_permanent_bytes: 'octetTotalCount',
  rev_flow_delta_bytes: 'responderOctets',
  input_snmp: 'ingressInterface',
  output_snmp: 'egressInterface',
  protocol: 'protocolIdentifier',
  tcp_flags: 'tcpControlBits',
  src_tos: 'ipClassOfService',
  src_as: 'bgpSourceAsNumber',
  dst_as: 'bgpDestinationAsNumber',
  src_mask: 'sourceIPv4PrefixLength',
  dst_mask: 'destinationIPv4PrefixLength',
  direction: 'flowDirection',
  src_vlan: 'vlanId',
  dst_vlan: 'postVlanId',
  conn_id: 'flowId',
  icmp_type: 'icmpTypeIPv4',
  icmp_code: 'icmpCodeIPv4',
  flow_end_reason: 'flowEndReason',
  flow_sampler_id: 'samplerId',
  sampling_algorithm: 'samplingAlgorithm',
  ip_protocol_version: 'ipVersion',
  src_traffic_index: 'srcTrafficIndex',
  dst_traffic_index: 'dstTrafficIndex',
  total_bytes_exp: 'exportedOctetTotalCount',
  total_pkts_exp: 'exportedMessageTotalCount',
  total_flows_exp: 'exportedFlowRecordTotalCount',
  flow_active_timeout: 'flowActiveTimeout',
  flow_inactive_timeout: 'flowIdleTimeout',
  scope_system: 'scopeSystem',
  engine_id: 'engineId',
  flows: 'deltaFlowCount',
  ingressVRFID: 'ingressVRFID',
  egressVRFID: 'egressVRFID',
  out_src_mac: 'postSourceMacAddress',
  app_id: 'paloAltoAppId',
  user_id: 'paloAltoUserId',
  username: 'aaaUsername',
  fw_ext_event: 'fwExtEvent',
};

/** Only v9: in v5 these stand in the header. */
const HEADER_ONLY_IN_V5 = new Set(['engine_id', 'sampling_algorithm']);

/** The samples give these as whole seconds, or as epoch milliseconds where we give text. */
const isTime = (name: string) => /^flow(Start|End)(Seconds|Milliseconds|Microseconds)$/.test(name);

/** Whether every field of a sample that both name is equal; the number compared, or -1. */
function compare(record: NamedRecord, sample: Readonly<Record<string, unknown>>): number {
  let compared = 0;
  for (const [name, value] of Object.entries(sample)) {
    if (record.version === 5 && HEADER_ONLY_IN_V5.has(name)) continue;
    const ours = record[IANA_NAMES[name] ?? name];
    if (name === 'version' || ours === undefined || typeof value === 'object') continue;
    const same = isTime(name)
      ? String(ours).slice(0, 19) === String(value).slice(0, 19)
      : name === 'systemInitTimeMilliseconds'
        ? Date.parse(String(ours)) === value
        : ours === value;
    if (!same) return -1;
    compared++;
  }
  return compared;
}

/** first_switched and last_switched of v5 and v9: the samples' writer adds a whole second (1,000,000 us less a remainder). */
function hasTimesOf(record: NamedRecord, sample: Readonly<Record<string, unknown>>): boolean {
  const { last_switched: last } = sample;
  return last === undefined || Date.parse(String(last)) - Date.parse(String(record.end)) === 1_000;
}

for (const { slug, files } of groups) {
  test(`${slug}: records as counted and as sampled`, { skip }, () => {
    const session = createSession('192.0.2.1');
    const { decode, session: columns } = createDecoder({}, 7);
    const records: NamedRecord[] = [];
    let flows = 0;
    for (const file of files) {
      const bytes = readFileSync(new URL(file, FOLDER));
      readNamedRecords(session, bytes, 1_700_000_000_000, (record) => records.push(record));
      flows += decode(bytes).length;
    }
    const hasSamples = existsSync(new URL(`${slug}.expected.json`, FOLDER));
    const expected = hasSamples ? readJson<Expected>(`${slug}.expected.json`) : undefined;
    assert.equal(records.length, expected?.expected_event_count ?? COUNTED_BY_HAND[slug]);
    assert.equal(flows + columns.counters.optionsRecords, records.length, 'columns and names agree');
    for (const { netflow } of expected?.events ?? []) {
      const found = records.filter((record) => compare(record, netflow) >= 5 && hasTimesOf(record, netflow));
      assert.ok(found.length > 0, `no record like ${JSON.stringify(netflow)}`);
    }
  });
}
