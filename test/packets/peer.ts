// node-netflowv9, where it is installed: the second opinion on v5 and v9
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type { NamedRecord } from '../../src/packets/fields.ts';
import { addressBytes } from './generate.ts';
import { IANA_NAMES } from './netflow-names.ts';

export interface PeerFlow {
  readonly [name: string]: number | string;
}
export interface Peer {
  nfPktDecode(datagram: Buffer, sender: object): { flows: PeerFlow[]; header: PeerFlow };
  server: { close(): void };
}

export function openPeer(): Peer | undefined {
  try {
    const Decoder = createRequire(import.meta.url)('node-netflowv9') as new (callback: () => void) => Peer;
    return new Decoder(() => {});
  } catch {
    return undefined;
  }
}

export const SENDER = { address: '192.0.2.1', port: 2055, size: 0 };

const bytesAsHex = (value: NamedRecord[string], byteCount: number): string => {
  if (typeof value === 'number') return value.toString(16).padStart(byteCount * 2, '0');
  const text = String(value);
  if (isIP(text) !== 0) return Buffer.from(addressBytes(text)).toString('hex');
  return text.replaceAll(':', '');
};

function isSame(ours: NamedRecord[string], theirs: number | string): boolean {
  if (ours === theirs) return true;
  if (typeof theirs === 'number') return typeof ours === 'string' && Date.parse(ours) === theirs;
  // Fields of no length, which we leave out.
  if (ours === undefined) return theirs === '';
  return bytesAsHex(ours, theirs.length / 2) === theirs;
}

const VENDORS: Readonly<Record<string, string>> = {
  unknown_type_40001: 'postNATSourceIPv4AddressNsel',
  unknown_type_40002: 'postNATDestinationIPv4AddressNsel',
  unknown_type_40003: 'postNAPTSourceTransportPortNsel',
  unknown_type_40004: 'postNAPTDestinationTransportPortNsel',
  unknown_type_40005: 'firewallEventNsel',
  unknown_type_43: 'ipv4RouterSc',
};

function ourName(name: string): string {
  const known = VENDORS[name] ?? IANA_NAMES[name];
  return known ?? name.replace('unknown_type_', 'element');
}

/** It takes the number of an interface for text; we leave padding out. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['scope_interface', 'paddingOctets']);

/** Asserts that every field that it names has the value that we read; returns how many there were. */
export function compareWithPeer(ours: NamedRecord, theirs: PeerFlow, where: string): number {
  let fields = 0;
  for (const [name, value] of Object.entries(theirs)) {
    if (NOT_COMPARED.has(name)) continue;
    if (name === 'fsId') assert.equal(ours.template, value, where);
    else if (name === 'isOption') assert.equal(ours.kind, 'options', where);
    else assert.ok(isSame(ours[ourName(name)], value), `${where}: ${name} ${value}, ${ours[ourName(name)]}`);
    fields++;
  }
  return fields;
}
