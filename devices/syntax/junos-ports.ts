// ports of Junos as they are written -> ranges
import { PORT_NAMES } from './ports.ts';
import { type WordTree, word } from './tree.ts';

/** What only Junos calls so (Routing Policies User Guide, "Firewall Filter Match Conditions"). */
const OWN: Readonly<Record<string, number>> = {
  cmd: 514,
  cvspserver: 2401,
  dhcp: 67,
  eklogin: 2105,
  ekshell: 2106,
  krbupdate: 760,
  krb_prop: 754,
  'kerberos-sec': 88,
  kpasswd: 761,
  login: 513,
  'mobileip-agent': 434,
  'mobilip-mn': 435,
  nfsd: 2049,
  'netbios-dgm': 138,
  nntp: 119,
  pptp: 1723,
  radacct: 1813,
  rkinit: 2108,
  snpp: 444,
  timed: 525,
  xnm: 3221,
  zephyr_clt: 2103,
  zephyr_hm: 2104,
};

/** `443`, `100-200`, `https`, or `100 to 200`. */
export function parsePort(node: WordTree): readonly [number, number] | undefined {
  const to = word(node, 'to');
  const [first, last = first] = to === undefined ? node.word.split(/-(?=\d)/) : [node.word, to];
  const from = portNumber(first);
  const until = portNumber(last);
  return from === undefined || until === undefined || from > until ? undefined : [from, until];
}

function portNumber(text: string): number | undefined {
  if (/^\d{1,5}$/.test(text)) return Number(text) <= 65_535 ? Number(text) : undefined;
  if (Object.hasOwn(OWN, text)) return OWN[text];
  return Object.hasOwn(PORT_NAMES, text) ? PORT_NAMES[text] : undefined;
}
