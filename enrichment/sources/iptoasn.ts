// IPtoASN's table (public domain, https://iptoasn.com): first, last, AS number, country, name; tab-separated, gzip or plain
import { gunzipSync } from 'node:zlib';
import { parseAddress } from '../../src/model/addresses.ts';
import type { Network } from '../pack.ts';
import { DAY_MS, MIB, type SourceDefinition, textOf, unreadable } from '../source.ts';
import type { NetworkRange } from '../tables.ts';

const MAX_INFLATED_BYTES = 512 * MIB;
const MAX_RANGES = 5_000_000;

export const iptoasn: SourceDefinition = {
  name: 'iptoasn',
  kind: 'networks',
  urlSetting: 'POSTERN_IPTOASN_URL',
  defaultUrl: 'https://iptoasn.com/data/ip2asn-combined.tsv.gz',
  maxBytes: 128 * MIB,
  refreshEveryMs: DAY_MS,
  parse: parseIptoasn,
};

/** Ranges that nobody announces (AS 0) are left out. */
export function parseIptoasn(bytes: Uint8Array): NetworkRange[] {
  const text = textOf(isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }) : bytes);
  const networks = new Map<string, Network>();
  const ranges: NetworkRange[] = [];
  let lineCount = 0;
  let readCount = 0;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end).trimEnd();
    at = end + 1;
    if (line === '') continue;
    lineCount++;
    const range = readLine(line, networks);
    if (range === undefined) continue;
    readCount++;
    if (range.value.asn !== 0) ranges.push(range);
    if (ranges.length > MAX_RANGES) throw unreadable(`more than ${MAX_RANGES} ranges`);
  }
  if (readCount * 2 <= lineCount) throw unreadable(`only ${readCount} of ${lineCount} lines can be read`);
  return ranges;
}

function readLine(line: string, networks: Map<string, Network>): NetworkRange | undefined {
  const secondTab = line.indexOf('\t', line.indexOf('\t') + 1);
  const [firstText, lastText] = line.slice(0, secondTab).split('\t', 2);
  const network = networkOf(line.slice(secondTab + 1), networks);
  if (network === undefined || lastText === undefined) return undefined;
  try {
    const first = parseAddress(firstText);
    const last = parseAddress(lastText);
    return typeof first === typeof last && first <= last ? { first, last, value: network } : undefined;
  } catch {
    return undefined;
  }
}

/** "15169\tUS\tGOOGLE" -> the network, one object for the same text. */
function networkOf(text: string, networks: Map<string, Network>): Network | undefined {
  const known = networks.get(text);
  if (known !== undefined) return known;
  const [asnText, country = '', name = ''] = text.split('\t');
  if (!/^\d{1,10}$/.test(asnText) || Number(asnText) > 0xffff_ffff) return undefined;
  const network = { asn: Number(asnText), country: /^[A-Z]{2}$/.test(country) ? country : '', name };
  networks.set(text, network);
  return network;
}

/** RFC 1952 section 2.3.1: ID1 and ID2. */
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
