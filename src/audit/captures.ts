// capture files -> export datagrams in order of time
import { statSync } from 'node:fs';
import { createCaptureStatistics } from '../packets/capture.ts';
import { type CapturedDatagram, readCaptureFile } from '../packets/pcap.ts';

/** RFC 7011 and vendors' defaults: 2055, 9995, 9996 NetFlow; 4739 IPFIX; 6343 sFlow. */
export const FLOW_PORTS: readonly number[] = [2055, 4739, 9995, 9996, 6343];

/** A file up to this size is put in order of time; a larger one streams and is taken as it is. */
const MAX_SORTED_BYTES = 64 * 1024 * 1024;

/** What was wrong with the captures, for people; filled while they are read. */
export interface CaptureFindings {
  readonly truncated: string[];
  /** Files too large to be sorted, with datagrams earlier than the one before. */
  readonly unordered: Set<string>;
  /** Datagrams to other ports. */
  otherPorts: number;
  exports: number;
}

export const createCaptureFindings = (): CaptureFindings => ({
  truncated: [],
  unordered: new Set(),
  otherPorts: 0,
  exports: 0,
});

/** Merges the files by time. */
export function* exportDatagrams(
  files: readonly string[],
  ports: readonly number[],
  findings: CaptureFindings = createCaptureFindings(),
): Generator<CapturedDatagram> {
  const open = files.map((file) => {
    const iterator = inOrder(file, new Set(ports), findings)[Symbol.iterator]();
    return { iterator, next: iterator.next() };
  });
  for (;;) {
    let earliest: (typeof open)[number] | undefined;
    for (const one of open)
      if (!one.next.done && (!earliest || one.next.value.atMs < earliest.next.value.atMs)) earliest = one;
    if (!earliest) return;
    yield earliest.next.value;
    earliest.next = earliest.iterator.next();
  }
}

function* inOrder(
  file: string,
  ports: ReadonlySet<number>,
  findings: CaptureFindings,
): Iterable<CapturedDatagram> {
  if (statSync(file).size <= MAX_SORTED_BYTES) {
    yield* [...wanted(file, ports, findings)].sort((a, b) => a.atMs - b.atMs);
    return;
  }
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const datagram of wanted(file, ports, findings)) {
    // Packets of several queues are written a little out of order.
    if (datagram.atMs < lastMs - 60_000) findings.unordered.add(file);
    lastMs = Math.max(lastMs, datagram.atMs);
    yield datagram;
  }
}

function* wanted(
  file: string,
  ports: ReadonlySet<number>,
  findings: CaptureFindings,
): Iterable<CapturedDatagram> {
  const statistics = createCaptureStatistics();
  for (const datagram of readCaptureFile(file, statistics)) {
    if (ports.has(datagram.destinationPort)) {
      findings.exports++;
      yield datagram;
    } else findings.otherPorts++;
  }
  if (statistics.isTruncated) findings.truncated.push(file);
}
