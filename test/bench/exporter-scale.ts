// the same records from 1, 1,000 and 10,000 exporters with five templates each -> CPU per record, beside that of one
//
//   node test/bench/exporter-scale.ts [--exporters 1,1000,10000] [--datagrams 400000] [--rounds 3]
//
// In process: decode, orient, fold, and what a collector thread does every so often (drain, report, store templates). Each
// number of exporters has as many datagrams, conversations and layouts, so that only what is kept by exporter differs.
import { parseArgs } from 'node:util';
import { createFolder, type Folder } from '../../src/flows/folder.ts';
import { addressSet } from '../../src/model/addresses.ts';

const RECORDS = 26;
const TEMPLATES = 5;
const DATAGRAMS = 10_000;
const CONVERSATIONS = 260_000;
/** Of the time that is made up: reports and drains come as often as at this rate. */
const DATAGRAMS_PER_SECOND = 40_000;
const FLUSH_MS = 10_000;
const UPTIME_MS = 3_600_000;
export const EXPORT_MS = Date.UTC(2026, 10, 2, 12, 0, 30);

/** Type and length, as routers send them; a layout is a rotation of these. */
const FIELDS = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [6, 1],
  [1, 4],
  [2, 4],
  [22, 4],
  [21, 4],
  [10, 4],
  [14, 4],
  [5, 1],
  [15, 4],
  [9, 1],
  [13, 1],
  [16, 4],
  [17, 4],
  [61, 1],
] as const;
const RECORD_BYTES = FIELDS.reduce((sum, [, length]) => sum + length, 0);

const layout = (template: number) => {
  const turn = (template * 4) % FIELDS.length;
  return [...FIELDS.slice(turn), ...FIELDS.slice(0, turn)];
};

function header(count: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(9, 0);
  bytes.writeUInt16BE(count, 2);
  bytes.writeUInt32BE(UPTIME_MS, 4);
  bytes.writeUInt32BE(EXPORT_MS / 1000, 8);
  return bytes;
}

/** All templates of an exporter. */
export function templates(): Buffer {
  const sets = Array.from({ length: TEMPLATES }, (_, template) => {
    const words = [0, 8 + FIELDS.length * 4, 256 + template, FIELDS.length, ...layout(template).flat()];
    const bytes = Buffer.alloc(words.length * 2);
    for (const [i, word] of words.entries()) bytes.writeUInt16BE(word, i * 2);
    return bytes;
  });
  return Buffer.concat([header(TEMPLATES), ...sets]);
}

/** Records of conversations `exporter`, `exporter + exporters`, and so on, taken at random. */
function data(template: number, exporter: number, exporters: number, random: () => number): Buffer {
  const set = Buffer.alloc(Math.ceil((4 + RECORDS * RECORD_BYTES) / 4) * 4);
  set.writeUInt16BE(256 + template, 0);
  set.writeUInt16BE(set.length, 2);
  let at = 4;
  for (let i = 0; i < RECORDS; i++) {
    const one = exporter + exporters * Math.floor((random() * CONVERSATIONS) / exporters);
    const values: Readonly<Record<number, number>> = {
      8: 0x0a00_0000 + (one % 65_536),
      12: 0x2d00_0000 + (Math.imul(one, 2_654_435) % 0x100_0000),
      7: 1024 + (one % 60_000),
      11: 443,
      4: 6,
      6: 27,
      1: 1000 + (i % 7),
      2: 10,
      22: UPTIME_MS - 4000,
      21: UPTIME_MS - 1000,
      10: 1,
      14: 2,
    };
    for (const [id, length] of layout(template)) {
      const value = values[id] ?? 0;
      if (length === 4) bytesOf(set, value >>> 0, at);
      else if (length === 2) set.writeUInt16BE(value, at);
      else set.writeUInt8(value, at);
      at += length;
    }
  }
  return Buffer.concat([header(RECORDS), set]);
}

const bytesOf = (set: Buffer, value: number, at: number) => set.writeUInt32BE(value, at);

interface Export {
  readonly exporter: number;
  readonly source: string;
  readonly bytes: Buffer;
}

function exportsOf(exporters: number): Export[] {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  // Every exporter once before any comes again, in an order that no cache foresees.
  const all = Array.from({ length: DATAGRAMS }, (_, i) => i % exporters);
  const orders = all.map((exporter) => ({ exporter, at: random() })).sort((a, b) => a.at - b.at);
  return orders.map(({ exporter }, i) => ({
    exporter,
    source: addressOf(exporter),
    bytes: data(i % TEMPLATES, exporter, exporters, random),
  }));
}

export const addressOf = (exporter: number) =>
  `172.${16 + (exporter >> 16)}.${(exporter >> 8) & 255}.${exporter & 255}`;

export interface ScaleFigures {
  readonly exporters: number;
  /** Decode, orient, fold. */
  readonly nsPerRecord: number;
  /** With drains, reports and the storing of templates. */
  readonly allNsPerRecord: number;
  readonly longestReportMs: number;
  readonly longestStoreMs: number;
  readonly storedBytes: number;
}

export function benchScale(exporters: number, datagrams: number): ScaleFigures {
  const folder = createFolder({ internal: addressSet('10.0.0.0/8') });
  const stream = exportsOf(exporters);
  const template = templates();
  for (let i = 0; i < exporters; i++) folder.receive(addressOf(i), 4000, template, EXPORT_MS);
  // Code that is compiled once and for all, and tables that have grown.
  const sequences = new Uint32Array(exporters).fill(1);
  run(folder, stream, sequences, DATAGRAMS * 3);
  folder.drain();
  folder.report();
  const longest = { reportMs: 0, storeMs: 0 };
  let [receiveMs, allMs, storedBytes] = [0, 0, 0];
  const share = (FLUSH_MS / 1000) * DATAGRAMS_PER_SECOND;
  for (let done = 0; done < datagrams; done += share) {
    receiveMs += timed(() => run(folder, stream, sequences, Math.min(share, datagrams - done)));
    allMs += timed(() => folder.drain());
    const reportMs = timed(() => folder.report());
    longest.reportMs = Math.max(longest.reportMs, reportMs);
    allMs += reportMs;
  }
  const storeMs = timed(() => {
    storedBytes = JSON.stringify([...(folder.storeSessions(true) ?? [])]).length;
  });
  longest.storeMs = storeMs;
  const records = datagrams * RECORDS;
  return {
    exporters,
    nsPerRecord: (receiveMs / records) * 1e6,
    allNsPerRecord: ((receiveMs + allMs) / records) * 1e6,
    longestReportMs: longest.reportMs,
    longestStoreMs: longest.storeMs,
    storedBytes,
  };
}

/** `sequences` by exporter: the number of its next datagram. */
function run(folder: Folder, stream: readonly Export[], sequences: Uint32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const { exporter, source, bytes } = stream[i % DATAGRAMS];
    bytes.writeUInt32BE(sequences[exporter]++, 12);
    folder.receive(source, 4000, bytes, EXPORT_MS);
  }
}

/** CPU milliseconds. */
function timed(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      exporters: { type: 'string', default: '1,1000,10000' },
      datagrams: { type: 'string', default: '400000' },
      rounds: { type: 'string', default: '3' },
    },
  });
  const numbers = values.exporters.split(',').map(Number);
  const best = new Map<number, ScaleFigures>();
  // In turn, so that a slow moment of the machine falls on all of them.
  for (let round = 0; round < Number(values.rounds); round++)
    for (const exporters of numbers) {
      const figures = benchScale(exporters, Number(values.datagrams));
      const known = best.get(exporters);
      if (!known || figures.nsPerRecord < known.nsPerRecord) best.set(exporters, figures);
    }
  const one = best.get(numbers[0]) as ScaleFigures;
  console.log('exporters  ns/record  ratio  with drain and report  ratio  report ms  store ms  stored bytes');
  for (const figures of best.values())
    console.log(
      [
        String(figures.exporters).padStart(9),
        figures.nsPerRecord.toFixed(1).padStart(11),
        (figures.nsPerRecord / one.nsPerRecord).toFixed(2).padStart(7),
        figures.allNsPerRecord.toFixed(1).padStart(23),
        (figures.allNsPerRecord / one.allNsPerRecord).toFixed(2).padStart(7),
        figures.longestReportMs.toFixed(1).padStart(11),
        figures.longestStoreMs.toFixed(1).padStart(10),
        String(figures.storedBytes).padStart(14),
      ].join(''),
    );
}
