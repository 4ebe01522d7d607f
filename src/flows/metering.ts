// which interfaces an exporter meters at ingress -> whether an egress record is a second sight of the same packets
//
// The rule: a packet that enters by interface X is counted by ingress metering at X. So where X has been seen metered at
// ingress within the last hour, an egress record (IE 61 = 1) whose input interface is X repeats what was counted there, and
// is left out; IPv4 and IPv6 apart, as each may have a monitor of its own. Where nothing meters X at ingress, the egress record
// is the only sight and counts. Without IE 61, records that only have counters behind the observation point (IE 23, 24) are
// egress records; all others without a direction count, and so do those of an exporter that does not tell its interfaces apart:
// softflowd calls one way of a conversation ingress and the other egress, both of interface 0 or both of the one that it was
// given.

const SLOTS = 65_536;
const PROBES = 8;
const REMEMBER_MINUTES = 60;

export interface Metering {
  /** Exporter number with its generation in the upper half, interface with the family in its highest bit. */
  readonly key: Uint32Array;
  readonly minute: Uint32Array;
  /** By exporter number: how often it was given anew. */
  readonly generations: Uint16Array;
}

export function createMetering(): Metering {
  return {
    key: new Uint32Array(SLOTS * 2),
    minute: new Uint32Array(SLOTS),
    generations: new Uint16Array(65_536),
  };
}

/** Notes that `exporter` (its number) meters `interfaceIndex` at ingress. A full neighbourhood forgets its first entry. */
export function noteIngress(
  metering: Metering,
  number: number,
  interfaceNumber: number,
  isSix: boolean,
  minute: number,
): void {
  const exporter = keyOf(metering, number);
  const interfaceIndex = withFamily(interfaceNumber, isSix);
  const found = find(metering, exporter, interfaceIndex);
  const slot = found >= 0 ? found : freeSlot(metering, exporter, interfaceIndex, minute);
  metering.key[slot * 2] = exporter;
  metering.key[slot * 2 + 1] = interfaceIndex;
  metering.minute[slot] = minute;
}

export function isMeteredAtIngress(
  metering: Metering,
  exporter: number,
  interfaceNumber: number,
  isSix: boolean,
  minute: number,
): boolean {
  const slot = find(metering, keyOf(metering, exporter), withFamily(interfaceNumber, isSix));
  return slot >= 0 && minute - metering.minute[slot] <= REMEMBER_MINUTES;
}

/** An exporter's number is about to be given to another. */
export function forgetExporter(metering: Metering, exporter: number): void {
  metering.generations[exporter]++;
}

const withFamily = (interfaceNumber: number, isSix: boolean) =>
  (isSix ? interfaceNumber ^ 0x8000_0000 : interfaceNumber) >>> 0;

const keyOf = ({ generations }: Metering, exporter: number) =>
  (exporter | (generations[exporter] << 16)) >>> 0;

function find(metering: Metering, exporter: number, interfaceIndex: number): number {
  const first = home(exporter, interfaceIndex);
  for (let probe = 0; probe < PROBES; probe++) {
    const slot = (first + probe) & (SLOTS - 1);
    if (
      metering.key[slot * 2 + 1] === interfaceIndex &&
      metering.key[slot * 2] === exporter &&
      metering.minute[slot] !== 0
    )
      return slot;
  }
  return -1;
}

function freeSlot(metering: Metering, exporter: number, interfaceIndex: number, minute: number): number {
  const first = home(exporter, interfaceIndex);
  for (let probe = 0; probe < PROBES; probe++) {
    const slot = (first + probe) & (SLOTS - 1);
    if (metering.minute[slot] === 0 || minute - metering.minute[slot] > REMEMBER_MINUTES) return slot;
  }
  return first;
}

function home(exporter: number, interfaceIndex: number): number {
  return ((Math.imul(exporter, 0x9e37_79b1) ^ Math.imul(interfaceIndex, 0x85eb_ca6b)) >>> 13) & (SLOTS - 1);
}
