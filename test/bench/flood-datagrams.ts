// the datagrams of floods, and of the exporter beside them that does nothing wrong
import { RECORD_BYTES, v9Datagram } from '../flows/v9.ts';
import {
  buildV9,
  type Field,
  seededRandom,
  set,
  v9OptionsTemplate,
  v9Template,
} from '../packets/generate.ts';

export const FLOODS = ['templates', 'sources', 'junk', 'conversations'] as const;
export type Flood = (typeof FLOODS)[number];

export const GOOD_RECORDS = 10;
const FLOOD_RECORDS = 26;
/** Behind header, template set and set header of a datagram of v9Datagram with and without its template. */
const FIRST_RECORD = 24;
const TEMPLATE_SET = 8 + 19 * 4;

/** Records of a few hosts of its own, one packet each, so that packets kept are records kept. */
export function goodDatagrams(nowMs: number): { template: Buffer; next: (i: number) => Buffer } {
  const record = (i: number) => ({
    source: `10.9.0.${i % 200}`,
    destination: `198.51.100.${i % 250}`,
    destinationPort: 443,
    packets: 1,
    bytes: 100,
    startMs: nowMs - 100,
    endMs: nowMs,
  });
  const data = Array.from({ length: 100 }, (_, at) =>
    v9Datagram(
      Array.from({ length: GOOD_RECORDS }, (_, i) => record(at * GOOD_RECORDS + i)),
      { exportMs: nowMs, withTemplate: false },
    ),
  );
  return {
    template: v9Datagram([], { exportMs: nowMs }),
    next: (i) => {
      const datagram = data[i % data.length];
      datagram.writeUInt32BE(i, 12);
      return datagram;
    },
  };
}

/** The i-th datagram of a flood; the memory is used again for the next. */
export function floodDatagrams(flood: Flood, nowMs: number): (i: number) => Uint8Array {
  const random = seededRandom(7);
  const pair = (bytes: Buffer, at: number) => {
    bytes.writeUInt32BE(0x0a00_0000 + Math.floor(random() * 0x100_0000), at);
    bytes.writeUInt32BE(0x2d00_0000 + Math.floor(random() * 0x1000_0000), at + 4);
    bytes.writeUInt16BE(Math.floor(random() * 65_536), at + 10);
  };
  const anyRecord = { source: '10.0.0.1', destination: '45.0.0.1', packets: 1, bytes: 1 };
  if (flood === 'sources') {
    const bytes = v9Datagram([anyRecord], { exportMs: nowMs });
    return () => {
      pair(bytes, FIRST_RECORD + TEMPLATE_SET);
      return bytes;
    };
  }
  if (flood === 'conversations') {
    const records = Array.from({ length: FLOOD_RECORDS }, () => anyRecord);
    const withTemplate = v9Datagram(records, { exportMs: nowMs });
    const bare = v9Datagram(records, { exportMs: nowMs, withTemplate: false });
    return (i) => {
      const isFirst = i % 1000 === 0;
      const bytes = isFirst ? withTemplate : bare;
      for (let r = 0; r < FLOOD_RECORDS; r++)
        pair(bytes, FIRST_RECORD + (isFirst ? TEMPLATE_SET : 0) + r * RECORD_BYTES);
      return bytes;
    };
  }
  if (flood === 'junk') {
    const bytes = Buffer.alloc(200);
    return (i) => {
      for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE((random() * 2 ** 32) >>> 0, at);
      // Every second one looks like something.
      if (i % 2 === 0) bytes.writeUInt16BE(i % 4 === 0 ? 9 : 10, 0);
      return bytes;
    };
  }
  const some = Array.from({ length: 2000 }, (_, i) => templateFlood(i, random));
  return (i) => {
    const bytes = some[i % some.length];
    // Another source id each time it comes again.
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(16, i % 7 === 0 ? i : 1);
    return bytes;
  };
}

const noise = (random: () => number, length: number) =>
  Uint8Array.from({ length }, () => Math.floor(random() * 256));

/** Templates, options templates, redefinitions, and data of templates that nobody sent. */
function templateFlood(i: number, random: () => number): Uint8Array {
  const id = () => 256 + Math.floor(random() * 65_000);
  const fields = (): Field[] => [
    [8, 4],
    [12, 4],
    ...Array.from(
      { length: Math.floor(random() * 8) },
      (): Field => [1 + Math.floor(random() * 400), 1 + Math.floor(random() * 8)],
    ),
  ];
  const data = () => set(id(), noise(random, 200));
  const sets = Array.from({ length: 12 }, (_, at) =>
    at % 4 === 3
      ? v9OptionsTemplate(id(), [[1, 4]], fields())
      : at % 4 === 2
        ? data()
        : v9Template(id(), fields()),
  );
  // Data by a layout that nobody had before: a reader each.
  const own = 300 + (i % 100);
  return buildV9({ sequence: i }, ...sets, v9Template(own, fields()), set(own, noise(random, 300)));
}
