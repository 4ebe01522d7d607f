// `crypto map` and `crypto dynamic-map` of IOS -> entries for cisco-crypto.ts
import type { Built, Config } from './cisco-config.ts';
import { buildCrypto, type CryptoEntry } from './cisco-crypto.ts';
import type { Reading } from './cisco-lines.ts';
import { type Block, linesOf, wordsOf } from './indent.ts';
import { addTo } from './multimap.ts';

/** A map entry that names a dynamic map stands for the entries of it, whose peers announce themselves. */
export function buildCryptoMaps(reading: Reading, config: Config): Built {
  const dynamic = new Map<string, CryptoEntry[]>();
  const entries: CryptoEntry[] = [];
  const heads: { block: Block; map: string; sequence: number; of?: string }[] = [];
  for (const block of reading.blocks) {
    const text = wordsOf(block.text).join(' ');
    const template = /^crypto dynamic-map (\S+) (\d{1,5})$/.exec(text);
    const head =
      /^crypto map (?:ipv6 )?(\S+) (\d{1,5})(?: (?:ipsec-isakmp|ipsec-manual|gdoi))?(?: dynamic (\S+)(?: discover)?| profile \S+)?$/.exec(
        text,
      );
    if (template) {
      const entry = readEntry(block, template[1], Number(template[2]), true, reading);
      addTo(dynamic, template[1], entry);
    } else if (head) heads.push({ block, map: head[1], sequence: Number(head[2]), of: head[3] });
    else if (/^crypto map /.test(text) && !SETTINGS.test(text))
      for (const line of linesOf(block)) reading.notUnderstood(line);
  }
  for (const { block, map, sequence, of } of heads) {
    if (of === undefined) entries.push(readEntry(block, map, sequence, false, reading));
    // Dynamic entries keep their own order behind the number of the map's.
    else
      for (const [i, entry] of (dynamic.get(of) ?? []).entries())
        entries.push({
          ...entry,
          map,
          sequence: sequence + i / 10_000,
          lines: [...linesOf(block), ...entry.lines],
        });
  }
  const bound = new Map<string, string[]>();
  for (const face of config.interfaces)
    if (face.cryptoMap !== undefined && !face.shutdown) addTo(bound, face.cryptoMap, face.name);
  return buildCrypto(entries, bound, config);
}

const SETTINGS =
  /^crypto map (?:ipv6 )?\S+ (?:client|isakmp|isakmp-profile|local-address|redundancy|gdoi|engine|pki)\b/;

function readEntry(
  block: Block,
  map: string,
  sequence: number,
  isDynamic: boolean,
  reading: Reading,
): CryptoEntry {
  const peers: string[] = [];
  let list: string | undefined;
  let comment: string | undefined;
  let family: CryptoEntry['family'] = 'ip';
  for (const line of block.children) {
    const words = wordsOf(line.text);
    const text = words.join(' ');
    const match = /^match address (ipv6 )?(\S+)$/.exec(text);
    if (/^set peer \S+/.test(text)) peers.push(words[2]);
    else if (match) {
      list = match[2];
      if (match[1]) family = 'ip6';
    } else if (words[0] === 'description') comment = words.slice(1).join(' ');
    else if (words[0] !== 'set' && words[0] !== 'reverse-route' && words[0] !== 'qos' && words[0] !== 'no')
      reading.notUnderstood(line);
  }
  return {
    map,
    sequence,
    ...(list === undefined ? {} : { list }),
    family,
    peers,
    isDynamic,
    ...(comment === undefined ? {} : { comment }),
    lines: linesOf(block),
  };
}
