// datagrams of every version in hostile hands: built whole, then lied about in lengths, counts, ids and sizes
import { decodeDatagram } from '../../src/packets/decode.ts';
import { createRecordColumns } from '../../src/packets/records.ts';
import { createSession, type ExporterSession } from '../../src/packets/session.ts';
import {
  buildIpfix,
  buildV1,
  buildV5,
  buildV7,
  buildV9,
  dataSet,
  type Field,
  ipfixOptionsTemplate,
  ipfixTemplate,
  ipfixWithdrawal,
  type PlainFlow,
  set,
  VARIABLE,
  v9OptionsTemplate,
  v9Template,
} from './generate.ts';

type Random = (below: number) => number;

const FLOW: PlainFlow = {
  source: '10.0.0.1',
  destination: '198.18.0.1',
  sourcePort: 1,
  destinationPort: 2,
  protocol: 17,
  bytes: 100,
  packets: 1,
};
/** What readers look for, what options tell, what NAT and biflows add, and ids that nobody has. */
const IDS = [
  1, 2, 4, 6, 7, 8, 10, 11, 12, 14, 21, 22, 23, 24, 27, 28, 34, 35, 48, 49, 50, 61, 82, 150, 152, 153, 154,
  156, 158, 160, 161, 210, 225, 226, 227, 228, 231, 232, 281, 282, 291, 292, 293, 298, 299, 302, 305, 306,
  323, 40_001, 65_535, 0,
];
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 255, 1000, 65_534, VARIABLE];
const ENTERPRISES = [undefined, undefined, undefined, 29_305, 9, 0, 4_294_967_295];
const SET_IDS = [0, 1, 2, 3, 4, 255, 256, 257, 258, 65_535];

function fields(random: Random): Field[] {
  return Array.from({ length: random(12) + (random(50) === 0 ? 600 : 0) }, () => {
    const id = IDS[random(IDS.length)];
    const length = LENGTHS[random(random(3) === 0 ? LENGTHS.length : 9)];
    return [id, length, ENTERPRISES[random(ENTERPRISES.length)]];
  });
}

const noise = (random: Random, length: number) => Uint8Array.from({ length }, () => random(256));

/** A template, options template, data, withdrawal or a set of nothing known. */
function anySet(random: Random, isIpfix: boolean): Uint8Array {
  const id = 256 + random(4);
  switch (random(7)) {
    case 0:
      return isIpfix ? ipfixTemplate(id, fields(random)) : v9Template(id, fields(random));
    case 1:
      return isIpfix
        ? ipfixOptionsTemplate(id, fields(random).slice(0, 3), fields(random))
        : v9OptionsTemplate(id, fields(random).slice(0, 3), fields(random));
    case 2:
      return isIpfix ? ipfixWithdrawal(random(2) === 0 ? id : 2 + random(2), random(2) === 0) : set(id);
    case 3:
      return set(SET_IDS[random(SET_IDS.length)], noise(random, random(80)));
    case 4:
      return dataSet(
        id,
        [
          [8, 4],
          [12, 4],
          [1, 4],
        ],
        [['10.0.0.1', '198.51.100.1', random(1e9)]],
      );
    default:
      return set(id, noise(random, random(400)));
  }
}

function whole(random: Random): Uint8Array {
  const flows = Array.from({ length: random(30) + 1 }, () => FLOW);
  const sets = () => Array.from({ length: random(5) + 1 }, () => undefined);
  switch (random(12)) {
    case 0:
      return buildV5(
        { sampling: random(65_536), count: random(4) === 0 ? random(65_536) : undefined },
        flows,
      );
    case 1:
      return random(2) === 0 ? buildV1({}, flows.slice(0, 24)) : buildV7({}, flows);
    case 2:
    case 3:
      return sflow(random);
    case 4:
    case 5:
    case 6:
    case 7:
      return buildV9(
        { sourceId: random(3), sequence: random(1000), uptimeMs: random(2 ** 31) },
        ...sets().map(() => anySet(random, false)),
      );
    default:
      return buildIpfix(
        { domain: random(3), sequence: random(1000), length: random(10) === 0 ? random(65_536) : undefined },
        ...sets().map(() => anySet(random, true)),
      );
  }
}

/** A sample of each kind with a body of noise and a length that may be true. */
function sflow(random: Random): Uint8Array {
  const word = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const samples = Array.from({ length: random(6) }, () => {
    const body = noise(random, random(200) & ~3);
    if (random(2) === 0 && body.length >= 32) body.set([0, 0, 0, 1], 28);
    return [...word(random(6)), ...word(random(5) === 0 ? random(2 ** 31) : body.length), ...body];
  });
  const head = [
    5,
    random(3),
    0xc000_0201,
    random(3),
    random(1000),
    random(1e6),
    random(3) === 0 ? random(1e6) : samples.length,
  ];
  return Uint8Array.from([...head.flatMap(word), ...samples.flat()]);
}

const WORDS = [
  [0, 0],
  [255, 255],
  [0, 4],
  [1, 0],
  [127, 255],
  [0, 1],
] as const;

function mangle(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 4) return bytes;
  for (let change = random(4); change > 0; change--) {
    const at = random(bytes.length);
    switch (random(5)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes.set(WORDS[random(WORDS.length)], Math.min(at & ~1, bytes.length - 2));
        break;
      case 2:
        return bytes.slice(0, at);
      case 3:
        bytes.copyWithin(at, random(bytes.length));
        break;
      default:
        bytes[at] ^= 1 << random(8);
    }
  }
  return bytes;
}

/** A linear congruential generator: the same datagrams on every run of a seed. */
export function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

export interface FuzzResult {
  readonly datagrams: number;
  readonly records: number;
  readonly templates: number;
  readonly malformed: number;
  /** Milliseconds of the slowest datagram that was slow every time it was tried, in a session of its own. */
  readonly slowestMs: number;
}

const AT_MS = 1_793_590_000_000;
const SLOW_MS = 1;
const MAX_SUSPECTS = 2_000;
const SESSIONS = 8;

/** Throws what the decoder throws, and where a bound of a session is not kept. */
export function fuzz(count: number, seed: number): FuzzResult {
  const random = generator(seed);
  const columns = createRecordColumns(4096);
  const sessions = Array.from({ length: SESSIONS }, (_, i) =>
    createSession('192.0.2.1', {}, i % 2 === 0 ? 'udp' : 'stream'),
  );
  const suspects: Uint8Array[] = [];
  let records = 0;
  const decode = (session: ExporterSession, bytes: Uint8Array, atMs: number) => {
    decodeDatagram(session, bytes, atMs, columns, () => {
      records += columns.count;
      columns.count = 0;
    });
    records += columns.count;
    columns.count = 0;
  };
  for (let i = 0; i < count; i++) {
    const bytes = mangle(whole(random), random);
    const session = sessions[random(SESSIONS)];
    const began = performance.now();
    decode(session, bytes, AT_MS + i);
    if (performance.now() - began > SLOW_MS && suspects.length < MAX_SUSPECTS) suspects.push(bytes);
    if (i % 4096 === 0) for (const one of sessions) checkBounds(one);
  }
  for (const one of sessions) checkBounds(one);
  // A datagram that was slow once met a pause of the machine, or was the first of its layout; a slow one is slow again.
  const slowestMs = suspects.reduce((most, bytes) => {
    let least = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 5; attempt++) {
      const session = createSession('192.0.2.1');
      const began = performance.now();
      decode(session, bytes, AT_MS);
      least = Math.min(least, performance.now() - began);
    }
    return Math.max(most, least);
  }, 0);
  const sum = (of: (session: ExporterSession) => number) =>
    sessions.reduce((total, one) => total + of(one), 0);
  return {
    datagrams: count,
    records,
    templates: sum(({ counters }) => counters.templatesLearned),
    malformed: sum(({ counters }) => Object.values(counters.malformed).reduce((a, b) => a + b, 0)),
    slowestMs,
  };
}

function checkBounds({ limits, templates, templateBytes, domains, counters }: ExporterSession): void {
  const held = [
    [templates.size, limits.templates],
    [templateBytes, limits.templateBytes],
    [domains.size, limits.domains],
    [counters.buffered, limits.waitingSets],
  ] as const;
  for (const [value, most] of held) if (value > most) throw new Error(`${value} held, ${most} allowed`);
}
