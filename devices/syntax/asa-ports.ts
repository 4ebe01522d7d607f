// words for ports, protocols and ICMP types of the ASA -> numbers (ASA CLI Reference, "Addresses, Protocols, and Ports")
import { PROTOCOLS } from '../../src/model/services.ts';
import type { Cursor, PortPairs } from './cisco-address.ts';
import { ICMP_TYPES, ICMPV6_TYPES, PORTS } from './cisco-ports.ts';

/** Where the ASA knows a name that IOS does not, or by another number. */
const ASA_PORTS: Readonly<Record<string, number>> = {
  aol: 5190,
  biff: 512,
  bootpc: 68,
  bootps: 67,
  cifs: 3020,
  'citrix-ica': 1494,
  ctiqbe: 2748,
  dnsix: 195,
  domain: 53,
  h323: 1720,
  http: 80,
  imap4: 143,
  kerberos: 750,
  ldaps: 636,
  lotusnotes: 1352,
  lpd: 515,
  'mobile-ip': 434,
  'netbios-dgm': 138,
  'netbios-ns': 137,
  'netbios-ssn': 139,
  nfs: 2049,
  'pcanywhere-data': 5631,
  'pcanywhere-status': 5632,
  'pim-auto-rp': 496,
  pptp: 1723,
  radius: 1645,
  'radius-acct': 1646,
  rip: 520,
  rsh: 514,
  rtsp: 554,
  'secureid-udp': 5510,
  sip: 5060,
  snmptrap: 162,
  sqlnet: 1521,
  tacacs: 49,
  uucp: 540,
  vxlan: 4789,
  www: 80,
};

export function asaPort(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (/^\d{1,5}$/.test(word)) return Number(word) <= 65_535 ? Number(word) : undefined;
  if (Object.hasOwn(ASA_PORTS, word)) return ASA_PORTS[word];
  return Object.hasOwn(PORTS, word) ? PORTS[word] : undefined;
}

/** `eq P`, `neq P`, `gt P`, `lt P`, `range A B` at the cursor; undefined where none stands there, null where it is not valid. */
export function asaPorts(cursor: Cursor): PortPairs | undefined | null {
  const operator = cursor.words[cursor.at];
  if (!/^(?:eq|neq|gt|lt|range)$/.test(operator ?? '')) return undefined;
  const first = asaPort(cursor.words[cursor.at + 1]);
  const last = operator === 'range' ? asaPort(cursor.words[cursor.at + 2]) : first;
  if (first === undefined || last === undefined) return null;
  cursor.at += operator === 'range' ? 3 : 2;
  if (operator === 'gt') return first < 65_535 ? [[first + 1, 65_535]] : [];
  if (operator === 'lt') return first > 0 ? [[0, first - 1]] : [];
  if (operator !== 'neq') return [[Math.min(first, last), Math.max(first, last)]];
  const pairs: PortPairs = [
    [0, first - 1],
    [first + 1, 65_535],
  ];
  return pairs.filter(([from, to]) => from <= to);
}

const ALL = Array.from({ length: 256 }, (_, number) => number);

/** Protocol numbers that a word stands for; undefined where it is none. */
export function asaProtocols(word: string | undefined): readonly number[] | undefined {
  if (word === undefined) return undefined;
  if (word === 'ip' || word === 'any') return ALL;
  if (word === 'tcp-udp') return [6, 17];
  if (/^\d{1,3}$/.test(word))
    return Number(word) <= 255 ? (Number(word) === 0 ? ALL : [Number(word)]) : undefined;
  const named =
    { ipsec: 50, pptp: 47 }[word] ?? (Object.hasOwn(PROTOCOLS, word) ? PROTOCOLS[word] : undefined);
  return named === undefined ? undefined : [named];
}

export const isEveryProtocol = (protocols: readonly number[]): boolean => protocols.length === 256;

/** Ranges over type * 256 + code of `echo`, `8`, `3 4` at the cursor; undefined where none stands there. */
export function asaIcmp(protocol: number, cursor: Cursor): PortPairs | undefined {
  const named = protocol === 58 ? ICMPV6_TYPES : ICMP_TYPES;
  const word = cursor.words[cursor.at] ?? '';
  const known = Object.hasOwn(named, word) ? named[word] : undefined;
  if (!known && !isByte(word)) return undefined;
  cursor.at++;
  const type = (known?.[0] ?? Number(word)) * 256;
  const code =
    known?.[1] ?? (isByte(cursor.words[cursor.at]) ? Number(cursor.words[cursor.at++]) : undefined);
  return [[type + (code ?? 0), type + (code ?? 255)]];
}

const isByte = (word: string | undefined): boolean => /^\d{1,3}$/.test(word ?? '') && Number(word) <= 255;
