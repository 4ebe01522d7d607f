// `ipsec policy` of VRP and Comware with its IKE peers -> entries for cisco-crypto.ts
import type { Built, Config } from './cisco-config.ts';
import { buildCrypto, type CryptoEntry } from './cisco-crypto.ts';
import type { Reading } from './cisco-lines.ts';
import { linesOf, wordsOf } from './indent.ts';
import { addTo } from './multimap.ts';
import type { VrpBindings } from './vrp-interfaces.ts';

/** `ipsec policy P 10 isakmp` with `security acl`, `ike-peer` or `remote-address`; templates have peers that announce themselves. */
export function buildVrpCrypto(reading: Reading, bindings: VrpBindings, config: Config): Built {
  const peers = readPeers(reading);
  const entries: CryptoEntry[] = [];
  for (const block of reading.blocks) {
    const text = wordsOf(block.text).join(' ');
    const head = /^ipsec (?:ipv6-)?(policy|policy-template) (\S+) (\d+)(?: (\S+))?(?: template (\S+))?/.exec(
      text,
    );
    if (!head) continue;
    const entry = {
      map: head[1] === 'policy' ? head[2] : `template ${head[2]}`,
      sequence: Number(head[3]),
      family: 'ip' as const,
      peers: [] as string[],
      isDynamic: head[1] === 'policy-template' || head[5] !== undefined,
      lines: linesOf(block),
    } as { -readonly [K in keyof CryptoEntry]: CryptoEntry[K] } & { peers: string[] };
    for (const line of block.children) {
      const words = wordsOf(line.text);
      if (words[0] === 'security' && words[1] === 'acl')
        entry.list = words.slice(2).filter((word) => !/^(?:name|ipv6)$/.test(word))[0];
      else if (words[0] === 'ike-peer' && words[1] !== undefined)
        entry.peers.push(...(peers.get(words[1]) ?? []));
      else if (words[0] === 'remote-address') {
        const address = words.slice(1).filter((word) => !/^(?:ipv6|primary|vpn-instance)$/.test(word))[0];
        if (address !== undefined) entry.peers.push(address);
      } else if (words[0] === 'tunnel' && words[1] === 'remote' && words[2] !== undefined)
        entry.peers.push(words[2]);
      else if (words[0] === 'description') entry.comment = words.slice(1).join(' ');
    }
    entries.push(entry);
  }
  const bound = new Map<string, string[]>();
  for (const { face, words } of bindings.crypto) {
    const name = words[words.indexOf('policy') + 1];
    if (face && !face.shutdown) addTo(bound, name, face.name);
  }
  return buildCrypto(entries, bound, config);
}

function readPeers(reading: Reading): Map<string, string[]> {
  const peers = new Map<string, string[]>();
  for (const block of reading.blocks) {
    const words = wordsOf(block.text);
    if (words[0] !== 'ike' || words[1] !== 'peer' || words[2] === undefined) continue;
    const far = block.children.flatMap((line) => {
      const inner = wordsOf(line.text);
      const address = inner
        .slice(1)
        .filter((word) => !/^(?:vpn-instance|host-name|authentication-address)$/.test(word))[0];
      return inner[0] === 'remote-address' && inner[1] !== 'authentication-address' && address !== undefined
        ? [address]
        : [];
    });
    peers.set(words[2], far);
  }
  return peers;
}
