// plain flows, configurations and lines -> the files that `postern audit` takes, as any collector could have written them
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DeviceAlert } from '../../src/model/alert.ts';
import {
  addressBytes,
  buildIpfix,
  buildV5,
  buildV9,
  dataSet,
  type Field,
  ipfixTemplate,
  u32,
  v9OptionsTemplate,
  v9Template,
} from '../packets/generate.ts';
import { pcapHeader } from './scenario.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  /** The minute it lies in, or its start where it has an end. */
  readonly atMs: number;
  readonly endMs?: number;
  readonly bytes?: number;
  readonly sourcePort?: number;
  readonly port?: number;
  readonly protocol?: number;
  readonly input?: number;
  readonly output?: number;
  readonly exporter?: string;
  /** Before any conversion to a datagram's relative times: the exporter's clock is this much ahead. */
}

export interface Encoding {
  readonly version?: 5 | 9 | 10;
  readonly port?: number;
  /** 1:N, by an options template in v9, by the header in v5. */
  readonly sampling?: number;
  readonly clockAheadMs?: number;
  readonly withoutInterfaces?: boolean;
}

const fieldsOf = (isIpv6: boolean, isIpfix: boolean): Field[] => [
  [isIpv6 ? 27 : 8, isIpv6 ? 16 : 4],
  [isIpv6 ? 28 : 12, isIpv6 ? 16 : 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
  [10, 4],
  [14, 4],
  [isIpfix ? 152 : 22, isIpfix ? 8 : 4],
  [isIpfix ? 153 : 21, isIpfix ? 8 : 4],
];

const BOOT_MS = 3_600_000_000;

/** Frames of one exporter in order of time: a datagram for at most 20 flows that end in the same minute, one minute later. */
export function frames(flows: readonly Flow[], exporter: string, encoding: Encoding = {}) {
  const endOf = (flow: Flow) => flow.endMs ?? flow.atMs + 40_000;
  const groups = new Map<string, Flow[]>();
  for (const flow of flows) {
    const key = `${Math.floor(endOf(flow) / MINUTE)} ${flow.from.includes(':')}`;
    groups.get(key)?.push(flow) ?? groups.set(key, [flow]);
  }
  const out: { atMs: number; bytes: Buffer }[] = [];
  const t0 = Math.min(...flows.map((flow) => flow.atMs)) - HOUR;
  let sequence = 0;
  for (const [key, members] of [...groups].sort(
    (a, b) => Number.parseInt(a[0], 10) - Number.parseInt(b[0], 10),
  )) {
    const atMs = (Number.parseInt(key, 10) + 1) * MINUTE + 500;
    for (let i = 0; i < members.length; i += 20) {
      const datagram = encode(members.slice(i, i + 20), atMs, t0, endOf, encoding, sequence++);
      out.push({ atMs, bytes: frameOf(atMs, exporter, encoding.port ?? 2055, datagram) });
    }
  }
  return out;
}

function encode(
  flows: readonly Flow[],
  atMs: number,
  t0: number,
  endOf: (flow: Flow) => number,
  encoding: Encoding,
  sequence: number,
): Uint8Array {
  const { version = 9, sampling, clockAheadMs = 0 } = encoding;
  const ports = (flow: Flow) => [flow.sourcePort ?? 40_000, flow.port ?? 443] as const;
  const up = (ms: number) => (BOOT_MS + ms - t0) % 2 ** 32;
  const seconds = Math.floor((atMs + clockAheadMs) / 1000);
  const interfaces = (flow: Flow) =>
    encoding.withoutInterfaces ? ([0, 0] as const) : ([flow.input ?? 1, flow.output ?? 2] as const);
  if (version === 5)
    return buildV5(
      {
        uptimeMs: up(atMs),
        seconds,
        nanoseconds: 500_000_000,
        sequence,
        sampling: sampling ? 0x4000 | sampling : 0,
      },
      flows.map((flow) => ({
        source: flow.from,
        destination: flow.to,
        sourcePort: ports(flow)[0],
        destinationPort: ports(flow)[1],
        protocol: flow.protocol ?? 17,
        bytes: flow.bytes ?? flow.packets * 800,
        packets: flow.packets,
        startUptimeMs: up(flow.atMs),
        endUptimeMs: up(endOf(flow)),
        input: interfaces(flow)[0],
        output: interfaces(flow)[1],
      })),
    );
  const isIpv6 = flows[0].from.includes(':');
  const fields = fieldsOf(isIpv6, version === 10);
  const at = (ms: number) => (version === 10 ? BigInt(ms + clockAheadMs) : up(ms));
  const rows = flows.map((flow) => [
    flow.from,
    flow.to,
    ...ports(flow),
    flow.protocol ?? 17,
    flow.bytes ?? flow.packets * 800,
    flow.packets,
    ...interfaces(flow),
    at(flow.atMs),
    at(endOf(flow)),
  ]);
  const id = isIpv6 ? 301 : 300;
  if (version === 10)
    return buildIpfix({ seconds, sequence }, ipfixTemplate(id, fields), dataSet(id, fields, rows));
  const sampler: Uint8Array[] = sampling
    ? [
        v9OptionsTemplate(
          400,
          [[1, 4]],
          [
            [34, 4],
            [35, 1],
          ],
        ),
        dataSet(
          400,
          [
            [1, 4],
            [34, 4],
            [35, 1],
          ],
          [[0, sampling, 2]],
        ),
      ]
    : [];
  return buildV9(
    { uptimeMs: up(atMs), seconds, sequence },
    ...sampler,
    v9Template(id, fields),
    dataSet(id, fields, rows),
  );
}

function frameOf(atMs: number, exporter: string, port: number, payload: Uint8Array): Buffer {
  const isIpv6 = exporter.includes(':');
  const ip = Buffer.alloc(isIpv6 ? 48 : 28);
  const udp = isIpv6 ? 40 : 20;
  if (isIpv6) {
    ip[0] = 0x60;
    ip.writeUInt16BE(8 + payload.length, 4);
    ip[6] = 17;
    ip[7] = 64;
    Buffer.from(addressBytes(exporter)).copy(ip, 8);
    Buffer.from(addressBytes('2001:db8::1')).copy(ip, 24);
  } else {
    ip[0] = 0x45;
    ip.writeUInt16BE(28 + payload.length, 2);
    ip[8] = 64;
    ip[9] = 17;
    Buffer.from(addressBytes(exporter)).copy(ip, 12);
    Buffer.from(u32(0x0a630001)).copy(ip, 16);
  }
  ip.writeUInt16BE(50_000, udp);
  ip.writeUInt16BE(port, udp + 2);
  ip.writeUInt16BE(8 + payload.length, udp + 4);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(Math.floor(atMs / 1000), 0);
  head.writeUInt32LE((atMs % 1000) * 1000, 4);
  head.writeUInt32LE(ip.length + payload.length, 8);
  head.writeUInt32LE(ip.length + payload.length, 12);
  return Buffer.concat([head, ip, payload]);
}

export function pcap(...lists: readonly { atMs: number; bytes: Buffer }[][]): Buffer {
  const sorted = lists.flat().sort((a, b) => a.atMs - b.atMs);
  return Buffer.concat([pcapHeader(), ...sorted.map(({ bytes }) => bytes)]);
}

/** The same packets as pcapng: section header, one interface of raw IP, microseconds. */
export function pcapng(...lists: readonly { atMs: number; bytes: Buffer }[][]): Buffer {
  const block = (type: number, body: Buffer) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const head = Buffer.alloc(8);
    head.writeUInt32LE(type, 0);
    head.writeUInt32LE(padded.length + 12, 4);
    return Buffer.concat([head, padded, head.subarray(4)]);
  };
  const section = Buffer.alloc(16, 0xff);
  section.writeUInt32LE(0x1a2b3c4d, 0);
  section.writeUInt32LE(1, 4);
  const port = Buffer.alloc(8);
  port.writeUInt16LE(101, 0);
  const packets = lists
    .flat()
    .sort((a, b) => a.atMs - b.atMs)
    .map(({ atMs, bytes }) => {
      const packet = bytes.subarray(16);
      const head = Buffer.alloc(20);
      const micros = BigInt(atMs) * 1000n;
      head.writeUInt32LE(Number(micros >> 32n), 4);
      head.writeUInt32LE(Number(micros & 0xffff_ffffn), 8);
      head.writeUInt32LE(packet.length, 12);
      head.writeUInt32LE(packet.length, 16);
      return block(6, Buffer.concat([head, packet]));
    });
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, port), ...packets]);
}

export interface Evidence {
  readonly site: Record<string, unknown>;
  /** By device: time and text. */
  readonly configs: Readonly<Record<string, readonly (readonly [atMs: number, text: string])[]>>;
  readonly captures?: readonly Buffer[];
  /** Lists of lines, a file each. */
  readonly logs?: readonly (readonly string[])[];
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export const nameOf = (atMs: number) =>
  `${new Date(atMs).toISOString().replace('.000', '').replaceAll(':', '-')}.cfg`;

/** Writes everything under `folder` and gives the command's arguments. */
export async function writeEvidence(folder: string, evidence: Evidence): Promise<string[]> {
  await mkdir(join(folder, 'configs'), { recursive: true });
  for (const [device, pulls] of Object.entries(evidence.configs)) {
    await mkdir(join(folder, 'configs', device), { recursive: true });
    for (const [atMs, text] of pulls) await writeFile(join(folder, 'configs', device, nameOf(atMs)), text);
  }
  await writeFile(join(folder, 'site.json'), JSON.stringify(evidence.site));
  for (const [name, content] of Object.entries(evidence.files ?? {}))
    await writeFile(join(folder, name), content);
  const flows = (evidence.captures ?? []).map((_, i) => join(folder, `flows-${i}.pcap`));
  await Promise.all(flows.map((file, i) => writeFile(file, evidence.captures![i])));
  const logs = (evidence.logs ?? []).map((_, i) => join(folder, `lines-${i}.log`));
  await Promise.all(logs.map((file, i) => writeFile(file, `${evidence.logs![i].join('\n')}\n`)));
  return [
    '--site',
    join(folder, 'site.json'),
    '--configs',
    join(folder, 'configs'),
    ...(flows.length > 0 ? ['--flows', ...flows] : []),
    ...(logs.length > 0 ? ['--syslog', ...logs] : []),
  ];
}

export interface Outcome {
  readonly alerts: DeviceAlert[];
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const main = resolve(import.meta.dirname, '../../src/postern.mjs');

/** Runs the command as a user does. */
export function runAudit(args: readonly string[]): Promise<Outcome> {
  return new Promise((settle) => {
    execFile(process.execPath, [main, 'audit', ...args], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const alerts = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as DeviceAlert);
      settle({ alerts, stdout, stderr, status: error ? Number(error.code) : 0 });
    });
  });
}

/** Both ways, every minute: `packets` out and nine tenths of them back. */
export function browsing(
  host: string,
  server: string,
  fromMs: number,
  untilMs: number,
  packets = 200,
  extra: Partial<Flow> = {},
): Flow[] {
  const flows: Flow[] = [];
  for (let atMs = fromMs; atMs < untilMs; atMs += MINUTE) {
    flows.push({ from: host, to: server, packets, atMs, ...extra });
    flows.push({ ...back({ from: host, to: server, packets, atMs, ...extra }, 0.9) });
  }
  return flows;
}

/** The answer to a flow: ports and interfaces the other way around. */
export const back = (flow: Flow, ratio: number): Flow => ({
  ...flow,
  from: flow.to,
  to: flow.from,
  sourcePort: flow.port ?? 443,
  port: flow.sourcePort ?? 40_000,
  input: flow.output ?? 2,
  output: flow.input ?? 1,
  packets: Math.max(1, Math.round(flow.packets * ratio)),
  bytes: undefined,
});

/** One way every minute, with few answers where a ratio is given. */
export function stream(
  host: string,
  to: string,
  fromMs: number,
  minutes: number,
  packets = 9000,
  ratio = 0,
  extra: Partial<Flow> = {},
): Flow[] {
  return Array.from({ length: minutes }, (_, i): Flow[] => {
    const out = { from: host, to, packets, atMs: fromMs + i * MINUTE, ...extra };
    return ratio > 0 ? [out, back(out, ratio)] : [out];
  }).flat();
}
