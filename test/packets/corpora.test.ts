import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type NamedRecord, readNamedRecords } from '../../src/packets/fields.ts';
import { createSession } from '../../src/packets/session.ts';
import { createDecoder } from './decode-all.ts';
import { IANA_NAMES } from './netflow-names.ts';

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

/** Names that stand for several elements, by exporter: the first that the record has. */
const ONE_OF: Readonly<Record<string, readonly string[]>> = {
  xlate_src_addr_ipv4: ['postNATSourceIPv4Address', 'postNATSourceIPv4AddressNsel'],
  xlate_dst_addr_ipv4: ['postNATDestinationIPv4Address', 'postNATDestinationIPv4AddressNsel'],
  xlate_src_port: ['postNAPTSourceTransportPort', 'postNAPTSourceTransportPortNsel'],
  xlate_dst_port: ['postNAPTDestinationTransportPort', 'postNAPTDestinationTransportPortNsel'],
  fw_event: ['firewallEvent', 'firewallEventNsel'],
};

type Sample = Readonly<Record<string, unknown>>;
const ms = (value: unknown) => Date.parse(String(value));

/** The samples' writer adds a whole second to sysUptimes (1,000,000 us less a remainder). */
const isSecondBehind = (ours: unknown, theirs: unknown) => ms(theirs) - ms(ours) === 1_000;

/** Fields that the samples have in another form, or of the header: whether a record says the same. */
const COMPARISONS: Readonly<Record<string, (record: NamedRecord, value: unknown) => boolean>> = {
  flow_seq_num: ({ sequence }, value) => sequence === value,
  flowset_id: ({ template }, value) => template === value,
  engine_type: ({ domain }, value) => domain >> 8 === value,
  last_switched: ({ end }, value) => isSecondBehind(end, value),
  // One record starts before its exporter did, by a wrap of sysUptime: the sample has that as 49 days later.
  first_switched: ({ start, flowStartSysUpTime }, value) =>
    isSecondBehind(start, value) || (flowStartSysUpTime === 2 ** 32 - 1 && ms(value) - ms(start) === 2 ** 32),
  event_time_msec: ({ observationTimeMilliseconds }, value) => ms(observationTimeMilliseconds) === value,
  flow_start_msec: ({ flowStartMilliseconds }, value) => ms(flowStartMilliseconds) === value,
  systemInitTimeMilliseconds: ({ systemInitTimeMilliseconds }, value) =>
    ms(systemInitTimeMilliseconds) === value,
  flowStartMicroseconds: ({ flowStartMicroseconds }, value) => ms(flowStartMicroseconds) === ms(value),
  flowEndMicroseconds: ({ flowEndMicroseconds }, value) => ms(flowEndMicroseconds) === ms(value),
  forwarding_status: ({ forwardingStatus }, value) => {
    const { status, reason } = value as { status: number; reason: number };
    return forwardingStatus === status * 64 + reason;
  },
  ingress_acl_id: ({ ingressAclId }, value) => ingressAclId === String(value).replaceAll('-', ''),
  egress_acl_id: ({ egressAclId }, value) => egressAclId === String(value).replaceAll('-', ''),
  application_id: ({ names }, value) => names?.applicationId === String(value).replaceAll('..', ':'),
  // The sample takes the length of the label stack for a label.
  mpls_label_stack_octets: ({ mplsLabelStackLength }, value) =>
    mplsLabelStackLength === (value as { ttl: number }).ttl,
  icmp_type: ({ icmpTypeIPv4, icmpTypeCodeIPv4 }, value) =>
    (icmpTypeIPv4 ?? Number(icmpTypeCodeIPv4) >> 8) === value,
  netscalerUnknown330: (record, value) => Number.parseInt(String(record['netscaler.330']), 16) === value,
};

/** In v5 these stand in the header: two bits of mode that we do not tell, the rate, the engine, the number of records. */
const V5_COMPARISONS: typeof COMPARISONS = {
  sampling_interval: ({ sampling }, value) => (sampling ?? 0) === value,
  engine_id: ({ domain }, value) => (domain & 255) === value,
};
const NOT_COMPARED: ReadonlySet<string> = new Set(['5 sampling_algorithm', '5 flow_records']);

/** undefined where the field is not compared. */
function agrees(record: NamedRecord, name: string, value: unknown): boolean | undefined {
  if (NOT_COMPARED.has(`${record.version} ${name}`)) return undefined;
  const comparison = (record.version === 5 ? V5_COMPARISONS[name] : undefined) ?? COMPARISONS[name];
  if (comparison) return comparison(record, value);
  const names = ONE_OF[name] ?? [IANA_NAMES[name] ?? name];
  const ours = names.map((one) => record[one]).find((one) => one !== undefined);
  return ours === value;
}

/** Fields of the sample that the record says otherwise, or not at all. */
const differences = (record: NamedRecord, sample: Sample): string[] =>
  Object.entries(sample).flatMap(([name, value]) => (agrees(record, name, value) === false ? [name] : []));

test('the samples: every datagram belongs to a group, every group with records has its samples', {
  skip,
}, () => {
  const files = readdirSync(FOLDER);
  const used = groups.flatMap((group) => group.files);
  assert.deepEqual(files.filter((file) => file.endsWith('.dat')).sort(), [...new Set(used)].sort());
  const sampled = groups.map(({ slug }) => `${slug}.expected.json`).filter((name) => files.includes(name));
  assert.deepEqual(files.filter((file) => file.endsWith('.expected.json')).sort(), sampled.sort());
  const without = groups.filter(({ slug }) => !files.includes(`${slug}.expected.json`));
  for (const { slug } of without) assert.ok(COUNTED_BY_HAND[slug] !== undefined, slug);
  assert.equal(groups.length, 26);
});

for (const { slug, files } of groups) {
  test(`${slug}: records as counted, and every field of its samples`, { skip }, () => {
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
      const all = records.map((record) => differences(record, netflow));
      const least = all.reduce((best, one) => (one.length < best.length ? one : best));
      assert.deepEqual(least, [], `no record like ${JSON.stringify(netflow)}`);
      if (netflow.flow_records !== undefined)
        assert.equal(
          records.filter(({ sequence }) => sequence === netflow.flow_seq_num).length,
          netflow.flow_records,
        );
    }
  });
}
