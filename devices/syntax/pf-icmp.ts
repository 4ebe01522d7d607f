// ICMP type and code names of pf.conf(5), icmp(4) and icmp6(4) -> numbers
import { icmpRange } from './icmp.ts';

type Names = Readonly<Record<string, readonly [number, number?]>>;

export const PF_ICMP: Names = {
  echorep: [0],
  unreach: [3],
  squench: [4],
  redir: [5],
  althost: [6],
  echoreq: [8],
  routeradv: [9],
  routersol: [10],
  timex: [11],
  paramprob: [12],
  timereq: [13],
  timerep: [14],
  inforeq: [15],
  inforep: [16],
  maskreq: [17],
  maskrep: [18],
  trace: [30],
};

export const PF_ICMP6: Names = {
  unreach: [1],
  toobig: [2],
  timex: [3],
  paramprob: [4],
  echoreq: [128],
  echorep: [129],
  groupqry: [130],
  listqry: [130],
  grouprep: [131],
  listenrep: [131],
  groupterm: [132],
  listendone: [132],
  routersol: [133],
  routeradv: [134],
  neighbrsol: [135],
  neighbradv: [136],
  redir: [137],
  routrrenum: [138],
};

const CODES: Readonly<Record<string, number>> = {
  'net-unr': 0,
  'host-unr': 1,
  'proto-unr': 2,
  'port-unr': 3,
  needfrag: 4,
  srcfail: 5,
  transit: 0,
  reassemb: 1,
};

/** The (type * 256 + code) range of `icmp-type T [code C]`. */
export function pfIcmp(
  type: string,
  code: string | undefined,
  table: Names,
): readonly [number, number] | undefined {
  if (code === undefined) return icmpRange(type, table);
  const number = Object.hasOwn(CODES, code) ? CODES[code] : Number(code);
  const range = icmpRange(type, table);
  if (!range || !Number.isInteger(number) || number < 0 || number > 255) return undefined;
  const at = Math.floor(range[0] / 256) * 256 + number;
  return [at, at];
}
