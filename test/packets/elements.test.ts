import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTERPRISES, V9_BASES } from '../../src/packets/elements/enterprise.ts';
import { valueName } from '../../src/packets/elements/enumerations.ts';
import {
  ELEMENT_TYPES,
  type Element,
  elementByNumber,
  enterpriseElements,
  ianaElements,
  scopeName,
  v9Elements,
} from '../../src/packets/elements.ts';
import { TARGET_SOURCES } from '../../src/packets/targets.ts';

const TYPES = new Set<string>(ELEMENT_TYPES);
/** Of the IPFIX registry; absolute times have none here, because they are printed as dates. */
const UNITS =
  /^(bits|octets|packets|flows|seconds|milliseconds|microseconds|nanoseconds|4-octet-words|messages|hops|entries|frames|ports|fragments)$/;
/** Keys of a printed record that no element may take. */
const RECORD_KEYS =
  /^(exporter|version|domain|template|sequence|kind|time|start|end|sampling|samplingOrigin|names|units)$/;

function assertElement({ name, type, unit }: Element, where: string) {
  assert.match(name, /^[a-zA-Z][a-zA-Z0-9]+$/, where);
  assert.doesNotMatch(name, RECORD_KEYS, where);
  assert.ok(TYPES.has(type ?? ''), `${where}: ${type}`);
  if (unit !== undefined) assert.match(unit, UNITS, where);
}

test('the IANA table: every element of the registry of 2026-07-22, whole lines, unique names', () => {
  const elements = ianaElements();
  for (const [id, element] of elements) {
    assert.ok(Number.isInteger(id) && id > 0 && id < 32_768, element.name);
    assertElement(element, `${id}`);
  }
  assert.equal(elements.size, 502);
  assert.equal(new Set([...elements.values()].map(({ name }) => name)).size, 502);
  const missing = Array.from({ length: 533 }, (_, i) => i + 1).filter((id) => !elements.has(id));
  // 65 to 69, 97 and 105 to 127 are kept for NetFlow v9; 416 and 419 are deprecated.
  const reserved = [65, 66, 67, 68, 69, 97, ...Array.from({ length: 23 }, (_, i) => 105 + i), 416, 419];
  assert.deepEqual(missing, reserved);
});

test('enterprise tables: whole lines, names that no other table has, ids of 15 bits, owners that are named', () => {
  const names = new Set([...ianaElements().values()].map(({ name }) => name));
  const counts = new Map<number, number>();
  for (const [key, element] of enterpriseElements()) {
    const [owner, id] = key.split('/').map(Number);
    assert.ok(id > 0 && id < 32_768 && ENTERPRISES[owner], key);
    assertElement(element, key);
    assert.ok(!names.has(element.name), `${key}: ${element.name}`);
    names.add(element.name);
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  const of = (...owners: readonly number[]) => owners.map((owner) => counts.get(owner));
  assert.deepEqual(of(9, 2_011, 2_636, 6_876, 25_461, 35_632), [254, 2, 19, 30, 2, 400]);
  assert.deepEqual(of(5_951, 6_871, 8_741, 10_704, 15_397, 26_866), [121, 432, 160, 12, 66, 49]);
});

test('no table says anything twice', () => {
  // A line given twice would be lost in the maps: the totals are those of the lines.
  assert.equal(enterpriseElements().size, 1_580);
  assert.equal(v9Elements().size, 23);
});

test('every element that a column is made of has a name', () => {
  for (const { ids, enterprise, target } of TARGET_SOURCES)
    for (const id of ids) assert.doesNotMatch(elementByNumber(9, id, enterprise).name, /\d{3,}$/, target);
});

/** Version, id, enterprise; name, type, unit. Read off the registry, or the vendor's template, by hand. */
const KNOWN = [
  [10, 1, 0, 'octetDeltaCount', 'u64', 'octets'],
  [10, 27, 0, 'sourceIPv6Address', 'ip6'],
  [10, 89, 0, 'forwardingStatus', 'u32'],
  [10, 154, 0, 'flowStartMicroseconds', 'microseconds'],
  [10, 276, 0, 'dataRecordsReliability', 'bool'],
  [10, 292, 0, 'subTemplateList', 'subTemplateList'],
  [10, 311, 0, 'samplingProbability', 'float'],
  [10, 361, 0, 'portRangeStart', 'u16'],
  [10, 434, 0, 'mibObjectValueInteger', 'i32'],
  [10, 484, 0, 'bgpSourceCommunityList', 'basicList'],
  [10, 496, 0, 'srhSegmentIPv6BasicList', 'basicList'],
  [10, 525, 0, 'udpSafeOptions', 'u256'],
  [10, 533, 0, 'pathDelaySumDeltaMicroseconds', 'u64', 'microseconds'],
  [10, 2, 29_305, 'reversePacketDeltaCount', 'u64', 'packets'],
  [10, 14, 6_871, 'initialTCPFlags', 'u16'],
  [10, 16_398, 6_871, 'reverseInitialTCPFlags', 'u16'],
  [10, 890, 6_876, 'vmwareIngressInterfaceAttr', 'u16'],
  [10, 958, 6_876, 'vmwareAverageLatency', 'u32', 'microseconds'],
  [10, 123, 35_632, 'ntopClientNwLatencyMs', 'u32', 'milliseconds'],
  [10, 118, 35_632, 'ntopL7Proto', 'u16'],
  [10, 9_268, 9, 'ciscoClientRetransPackets', 'u32', 'packets'],
  [10, 12_236, 9, 'ciscoClientIPv4Address', 'ip4'],
  [10, 107, 2_636, 'juniperFlowId', 'u32'],
  [10, 1, 2_011, 'huaweiIngressGponGemPortId', 'u16'],
  [9, 33_002, 0, 'fwExtEvent', 'u16'],
  [9, 40_005, 0, 'firewallEventNsel', 'u8'],
  [9, 56_701, 0, 'paloAltoAppId', 'text'],
  // NetFlow v9: the vendor's base and its IPFIX id.
  [9, 57_595, 0, 'ntopClientNwLatencyMs', 'u32', 'milliseconds'],
  [9, 58_500, 0, 'ntopProtocolMap', 'text'],
  [9, 42_036, 0, 'ciscoClientRetransPackets', 'u32', 'packets'],
  [9, 45_004, 0, 'ciscoClientIPv4Address', 'ip4'],
] as const;

test('elements by hand: names, types, units', () => {
  for (const [version, id, enterprise, name, type, unit] of KNOWN)
    assert.deepEqual(
      elementByNumber(version, id, enterprise),
      { name, type, ...(unit && { unit }) },
      `${enterprise}/${id}`,
    );
});

test('NetFlow v9: where vendors took the same number, the table goes before ntop, and ntop before Cisco', () => {
  const taken = new Set<number>();
  for (const { enterprise, base, last } of V9_BASES)
    for (const key of enterpriseElements().keys()) {
      const [owner, id] = key.split('/').map(Number);
      if (owner !== enterprise || base + id > last) continue;
      const { name } = elementByNumber(9, base + id, 0);
      const ours = enterpriseElements().get(key)?.name;
      if (v9Elements().has(base + id) || taken.has(base + id)) assert.notEqual(name, ours, key);
      else assert.equal(name, ours, key);
      taken.add(base + id);
    }
  // Nobody's: by number. In IPFIX, where an id has 15 bits, these numbers mean nothing.
  assert.equal(elementByNumber(9, 65_000, 0).name, 'element65000');
  assert.equal(elementByNumber(10, 33_002, 0).name, 'element33002');
});

test('unknown elements keep their owner and number', () => {
  const nameOf = (id: number, enterprise: number) => elementByNumber(10, id, enterprise).name;
  assert.deepEqual(
    [nameOf(77, 9), nameOf(1, 12_356), nameOf(1, 14_988), nameOf(77, 99_999), nameOf(600, 0)],
    ['cisco.77', 'fortinet.1', 'mikrotik.1', 'enterprise99999.77', 'element600'],
  );
  assert.equal(nameOf(600, 29_305), 'reverse.600');
  assert.deepEqual([scopeName(2), scopeName(9)], ['scopeInterface', 'scope9']);
});

test('enumerations and flags have names', () => {
  for (const [element, value, name] of [
    ['protocolIdentifier', 6, 'TCP'],
    ['reverseProtocolIdentifier', 17, 'UDP'],
    ['tcpControlBits', 0x12, 'SYN ACK'],
    ['tcpControlBits', 0x1c2, 'SYN ECE CWR bit 8'],
    ['natEvent', 4, 'NAT44 session create'],
    ['firewallEvent', 3, 'flow denied'],
    ['forwardingStatus', 138, 'dropped, policer'],
    ['flowEndReason', 2, 'active timeout'],
    ['fwExtEvent', 1001, 'denied by ingress ACL'],
    ['protocolIdentifier', 255, undefined],
    ['octetDeltaCount', 6, undefined],
    ['constructor', 6, undefined],
    ['protocolIdentifier', -1, undefined],
  ] as const)
    assert.equal(valueName(element, value), name, `${element} ${value}`);
  const known = new Set([...ianaElements().values()].map(({ name }) => name));
  for (const name of ['natEvent', 'natType', 'selectorAlgorithm', 'biflowDirection', 'bgpValidityState'])
    assert.ok(known.has(name), name);
});
