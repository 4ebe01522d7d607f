// columns of records + addresses of known hosts -> rows about attempts toward them, bounded, with a fair share a source
import { randomInt } from 'node:crypto';
import { HAS, type RecordColumns } from '../packets/records.ts';
import { type AttemptBatch, createAttemptBatch, joinAttempts } from './attempt-batch.ts';
import {
  ESTABLISHED,
  ICMP,
  ICMPV6,
  NONE,
  outcomeOfIcmp,
  outcomeOfIcmpAnswer,
  outcomeOfTcp,
  outcomeOfTcpAnswer,
  outcomeOfUdp,
  outcomeOfUdpAnswer,
  RECEIVER,
  REFUSED,
  SENDER,
  TCP,
  UDP,
  UNANSWERED,
  whoBegan,
} from './attempt-outcome.ts';
import { type FoldCounters, isNoTraffic, startMsOf } from './fold.ts';
import { type HostFilter, isHost, mayBeHost } from './host-filter.ts';
import { isTranslation } from './orient.ts';
import { copyAddress } from './words.ts';

/** What was tried in vain, and what was answered: a busy server's clients must not crowd out a knock. */
const POOL_ROWS = 16_384;
/** Of one client in SHARE_MS: a scan of all ports must not either. */
const SHARE_ROWS = 256;
const SHARE_MS = 10_000;
const SHARES = 65_536;
const MAX_RATE = 1e9;

interface Pool {
  rows: AttemptBatch;
  count: number;
  /** Rows by hash of the client. Two clients seldom share a place. */
  readonly shares: Uint16Array;
}

export interface Attempts {
  readonly vain: Pool;
  readonly answered: Pool;
  readonly seed: number;
  /** The time by which shares are counted. */
  shareEndMs: number;
  /** Asked when a pool is full: call takeAttempts inside to lose nothing. */
  readonly onFull: (() => void) | undefined;
}

/** Where the rows of one call come from. */
interface Origin {
  readonly exporter: Uint32Array;
  readonly counters: FoldCounters;
  readonly receivedAtMs: number;
}

export function createAttempts(maxRows = POOL_ROWS, onFull?: () => void): Attempts {
  const pool = (): Pool => ({ rows: createAttemptBatch(maxRows), count: 0, shares: new Uint16Array(SHARES) });
  return { vain: pool(), answered: pool(), seed: randomInt(0x1_0000_0000) | 1, shareEndMs: 0, onFull };
}

/** Everything kept since the last call. */
export function takeAttempts({ vain, answered }: Attempts): AttemptBatch | undefined {
  if (vain.count + answered.count === 0) return undefined;
  const batch = joinAttempts([vain, answered]);
  vain.count = 0;
  answered.count = 0;
  return batch;
}

/**
 * Looks at every record, also of those that are no conversation with the outside. Of a record of no host's it costs two
 * tests of a bit.
 */
export function keepAttempts(
  attempts: Attempts,
  filter: HostFilter,
  columns: RecordColumns,
  count: number,
  origin: Origin,
): void {
  const { present, source, destination } = columns;
  if (origin.receivedAtMs >= attempts.shareEndMs || origin.receivedAtMs < attempts.shareEndMs - 2 * SHARE_MS)
    renewShares(attempts, origin.receivedAtMs);
  for (let i = 0; i < count; i++) {
    const at = i * 4;
    if (
      !mayBeHost(filter, source, at) &&
      !mayBeHost(filter, destination, at) &&
      (present[i] & (HAS.postNatSource | HAS.postNatDestination)) === 0
    )
      continue;
    if ((present[i] & HAS.addresses) === 0) continue;
    // That a connection began or was translated says nothing of an answer, and what a firewall denied never came to the host.
    if ((present[i] & HAS.event) !== 0 && isNoTraffic(columns, i)) continue;
    keepToward(attempts, filter, columns, i, origin);
    keepFrom(attempts, filter, columns, i, origin);
  }
}

function renewShares(attempts: Attempts, nowMs: number): void {
  attempts.shareEndMs = nowMs + SHARE_MS;
  attempts.vain.shares.fill(0);
  attempts.answered.shares.fill(0);
}

/** A record whose receiver is a host. The host knows itself by what the destination was translated to, and the client likewise. */
function keepToward(
  attempts: Attempts,
  filter: HostFilter,
  columns: RecordColumns,
  i: number,
  origin: Origin,
): void {
  const { source, destination, postNatSource, postNatDestination } = columns;
  const at = i * 4;
  const isMoved = movesDestination(columns, i);
  const isInside = isMoved && isHost(filter, postNatDestination, at);
  if (!isInside && !isHost(filter, destination, at)) return;
  const outcome = outcomeToward(columns, i);
  if (outcome === NONE) return;
  const host = isInside ? postNatDestination : destination;
  const translatedPort = isMoved ? columns.postNatDestinationPort[i] : 0;
  const port = translatedPort || columns.destinationPort[i];
  if (movesSource(columns, i)) {
    const seenPort = columns.postNatSourcePort[i] || columns.sourcePort[i];
    keep(attempts, columns, i, origin, outcome, postNatSource, seenPort, host, port);
  }
  keep(attempts, columns, i, origin, outcome, source, columns.sourcePort[i], host, port);
}

/** A record that a host sent; its source is what the host calls itself. */
function keepFrom(
  attempts: Attempts,
  filter: HostFilter,
  columns: RecordColumns,
  i: number,
  origin: Origin,
): void {
  const { source, destination, postNatSource, postNatDestination } = columns;
  const at = i * 4;
  const isInside = isHost(filter, source, at);
  if (!isInside && !(movesSource(columns, i) && isHost(filter, postNatSource, at))) return;
  const outcome = outcomeFrom(columns, i);
  if (outcome === NONE) return;
  const host = isInside ? source : postNatSource;
  const port = columns.sourcePort[i];
  keep(attempts, columns, i, origin, outcome, destination, columns.destinationPort[i], host, port);
  if (movesDestination(columns, i)) {
    const clientPort = columns.postNatDestinationPort[i] || columns.destinationPort[i];
    keep(attempts, columns, i, origin, outcome, postNatDestination, clientPort, host, port);
  }
}

function outcomeToward(columns: RecordColumns, i: number): number {
  const protocol = columns.protocol[i];
  const packets = columns.packets[i];
  const hasReverse = (columns.present[i] & HAS.reverse) !== 0;
  const reversePackets = hasReverse ? columns.reversePackets[i] : 0;
  if (protocol === ICMP || protocol === ICMPV6)
    return outcomeOfIcmp(protocol, columns.destinationPort[i], reversePackets);
  if ((protocol !== TCP && protocol !== UDP) || began(columns, i) === RECEIVER) return NONE;
  if (protocol === UDP) return outcomeOfUdp(packets, reversePackets);
  const reverseBytes = hasReverse ? columns.reverseBytes[i] : 0;
  const isV6 = isAddressV6(columns.source, i * 4);
  return outcomeOfTcp(columns.tcpFlags[i], packets, columns.bytes[i], reversePackets, reverseBytes, isV6);
}

function outcomeFrom(columns: RecordColumns, i: number): number {
  const protocol = columns.protocol[i];
  if (protocol === ICMP || protocol === ICMPV6)
    return outcomeOfIcmpAnswer(protocol, columns.destinationPort[i], columns.packets[i]);
  if ((protocol !== TCP && protocol !== UDP) || began(columns, i) === SENDER) return NONE;
  const packets = columns.packets[i];
  const reversePackets = (columns.present[i] & HAS.reverse) !== 0 ? columns.reversePackets[i] : 0;
  if (protocol === UDP) return outcomeOfUdpAnswer(packets, reversePackets);
  const isV6 = isAddressV6(columns.source, i * 4);
  return outcomeOfTcpAnswer(columns.tcpFlags[i], packets, columns.bytes[i], reversePackets, isV6);
}

function began(columns: RecordColumns, i: number): number {
  return whoBegan(
    columns.protocol[i],
    columns.tcpFlags[i],
    columns.packets[i],
    columns.sourcePort[i],
    columns.destinationPort[i],
    (columns.present[i] & HAS.reverse) !== 0,
  );
}

const isAddressV6 = (words: Uint32Array, at: number) =>
  words[at] !== 0 || words[at + 1] !== 0 || words[at + 2] !== 0xffff;

const movesSource = (columns: RecordColumns, i: number) =>
  (columns.present[i] & HAS.postNatSource) !== 0 &&
  isTranslation(columns.source, columns.postNatSource, i * 4);

const movesDestination = (columns: RecordColumns, i: number) =>
  (columns.present[i] & HAS.postNatDestination) !== 0 &&
  isTranslation(columns.destination, columns.postNatDestination, i * 4);

function keep(
  attempts: Attempts,
  columns: RecordColumns,
  i: number,
  { exporter, counters, receivedAtMs }: Origin,
  outcome: number,
  client: Uint32Array,
  clientPort: number,
  host: Uint32Array,
  port: number,
): void {
  const pool = outcome === UNANSWERED || outcome === REFUSED ? attempts.vain : attempts.answered;
  const share = shareOf(attempts, client, i * 4);
  if (pool.count === pool.rows.count) attempts.onFull?.();
  if (pool.count === pool.rows.count || pool.shares[share] >= SHARE_ROWS) {
    counters.attemptsDropped++;
    return;
  }
  pool.shares[share]++;
  counters.attempts++;
  const { rows } = pool;
  const row = pool.count++;
  const protocol = columns.protocol[i];
  const isIcmp = protocol === ICMP || protocol === ICMPV6;
  rows.atMs[row] = startMsOf(columns, i, receivedAtMs);
  rows.receivedAtMs[row] = receivedAtMs;
  copyAddress(rows.exporter, row * 4, exporter, 0);
  copyAddress(rows.source, row * 4, client, i * 4);
  copyAddress(rows.destination, row * 4, host, i * 4);
  rows.sourcePort[row] = isIcmp ? 0 : clientPort;
  rows.port[row] = isIcmp ? 0 : port;
  rows.protocol[row] = protocol;
  rows.outcome[row] = outcome;
  rows.tcpFlags[row] = columns.tcpFlags[i];
  // Counts of the client, in a biflow that begins with the host.
  const isFromHost = host === columns.source || host === columns.postNatSource;
  const isReverse = isFromHost && (outcome === UNANSWERED || outcome === ESTABLISHED);
  rows.packets[row] = isReverse ? columns.reversePackets[i] : columns.packets[i];
  rows.bytes[row] = isReverse ? columns.reverseBytes[i] : columns.bytes[i];
  const rate = columns.samplingRate[i];
  rows.samplingRate[row] = rate >= 1 && rate < MAX_RATE ? rate + 0.5 : 1;
}

function shareOf({ seed }: Attempts, words: Uint32Array, at: number): number {
  let h = Math.imul(seed ^ words[at + 3], 0x9e37_79b1);
  h = Math.imul((h ^ (h >>> 15)) + words[at + 2], 0x85eb_ca6b);
  h = Math.imul((h ^ (h >>> 13)) + words[at + 1], 0xc2b2_ae35);
  h = Math.imul((h ^ (h >>> 16)) + words[at], 0x27d4_eb2f);
  return (h ^ (h >>> 15)) & (SHARES - 1);
}
