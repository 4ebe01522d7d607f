// capture files -> export datagrams in order of time
import { type CapturedDatagram, readCaptureFile } from '../packets/pcap.ts';

/** RFC 7011 and vendors' defaults: 2055, 9995, 9996 NetFlow; 4739 IPFIX; 6343 sFlow. */
export const FLOW_PORTS: readonly number[] = [2055, 4739, 9995, 9996, 6343];

/** Merges the files; each is taken as being in order of time, as captures are. */
export async function* exportDatagrams(
  files: readonly string[],
  ports: readonly number[],
): AsyncGenerator<CapturedDatagram> {
  const wanted = new Set(ports);
  const open = await Promise.all(
    files.map(async (file) => {
      const iterator = asAsync(readCaptureFile(file))[Symbol.asyncIterator]();
      return { iterator, next: await nextWanted(iterator, wanted) };
    }),
  );
  for (;;) {
    let earliest: (typeof open)[number] | undefined;
    for (const one of open)
      if (one.next && (!earliest?.next || one.next.atMs < earliest.next.atMs)) earliest = one;
    if (!earliest?.next) return;
    yield earliest.next;
    earliest.next = await nextWanted(earliest.iterator, wanted);
  }
}

async function nextWanted(
  iterator: AsyncIterator<CapturedDatagram>,
  ports: ReadonlySet<number>,
): Promise<CapturedDatagram | undefined> {
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return undefined;
    if (ports.has(value.destinationPort)) return value;
  }
}

async function* asAsync<T>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* source;
}
