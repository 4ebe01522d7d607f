// a small site with a Cisco router, written as files in the form that `postern audit` takes
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildV9, dataSet, type Field, u32, v9Template } from '../packets/generate.ts';

export const T0 = Date.parse('2026-11-02T03:00:00Z');
export const RELAY = 'ip nat outside source static udp 203.0.113.50 443 10.20.0.250 8443';
const MINUTE = 60_000;

/** What varies between the scenarios. */
export interface Scenario {
  /** Return packets per out packet of the stream. */
  readonly returnRatio: number;
  readonly tickets?: readonly object[];
  readonly approvedForwards?: readonly object[];
  /** Where the stream goes as the exporter sees it; default the relay's local address, as metered before translation. */
  readonly streamTo?: string;
  /** The configuration after T0; default with the relay. */
  readonly after?: string;
  readonly remark?: string;
}

export function routerConfig(extra = ''): string {
  return `Building configuration...

Current configuration : 1200 bytes
!
version 15.9
hostname edge1
!
username postern secret 9 $9$abcdefgh$ijklmnop
!
interface GigabitEthernet0/0
 description inside
 ip address 10.20.0.1 255.255.255.0
 ip nat inside
!
interface GigabitEthernet0/1
 description outside
 ip address 192.0.2.2 255.255.255.252
 ip nat outside
!
ip nat inside source list 10 interface GigabitEthernet0/1 overload
${extra ? `${extra}\n` : ''}ip route 0.0.0.0 0.0.0.0 192.0.2.1
!
access-list 10 permit 10.20.0.0 0.0.0.255
!
end
`;
}

export async function writeScenario(folder: string, scenario: Scenario): Promise<string[]> {
  const configs = join(folder, 'configs', 'edge1');
  await mkdir(configs, { recursive: true });
  const name = (atMs: number) =>
    `${new Date(atMs).toISOString().replace('.000', '').replaceAll(':', '-')}.cfg`;
  await writeFile(join(configs, name(T0 - 60 * MINUTE)), routerConfig());
  await writeFile(join(configs, name(T0 - 2 * MINUTE)), routerConfig());
  await writeFile(join(configs, name(T0 + 2 * MINUTE)), scenario.after ?? routerConfig(RELAY));
  const site = {
    internal: ['10.0.0.0/8'],
    devices: [
      {
        name: 'edge1',
        vendor: 'cisco-ios',
        exporters: ['192.0.2.2'],
        addresses: ['192.0.2.2'],
        ticketPattern: 'CHG\\d{7}',
      },
    ],
    asn: 'asn.tsv',
    categories: { AS64500: 'vps', AS64501: 'cdn' },
    tickets: scenario.tickets ?? [],
    approvedForwards: scenario.approvedForwards ?? [],
  };
  await writeFile(join(folder, 'site.json'), JSON.stringify(site));
  await writeFile(
    join(folder, 'asn.tsv'),
    '198.51.100.0\t198.51.100.255\t64501\tUS\tEXAMPLE-CDN\n203.0.113.0\t203.0.113.255\t64500\tDE\tEXAMPLE-VPS\n',
  );
  await writeFile(join(folder, 'flows.pcap'), capture(scenario));
  const at = (atMs: number) => new Date(atMs).toISOString();
  const lines = [
    `${at(T0 - 5000)} 192.0.2.2 <189>41: Nov  2 02:59:55.000: %SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: alice] [Source: 10.99.0.9] [localport: 22]`,
    `${at(T0 + 1000)} 192.0.2.2 <189>42: Nov  2 03:00:01.000: %SYS-5-CONFIG_I: Configured from console by alice on vty0 (10.99.0.9)`,
    'not a recorded line',
  ];
  await writeFile(join(folder, 'lines.log'), `${lines.join('\n')}\n`);
  return [
    '--site',
    join(folder, 'site.json'),
    '--configs',
    join(folder, 'configs'),
    '--flows',
    join(folder, 'flows.pcap'),
    '--syslog',
    join(folder, 'lines.log'),
  ];
}

const FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
  [7, 2],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
  [10, 4],
  [14, 4],
  [21, 4],
  [22, 4],
];

/** Two hours of browsing both ways, then from T0 + 3 min on ten minutes of a stream from two hosts. */
function capture(scenario: Scenario): Buffer {
  const frames: Buffer[] = [pcapHeader()];
  const to = scenario.streamTo ?? '10.20.0.250';
  for (let minute = -120; minute < 15; minute++) {
    const atMs = T0 + (minute + 1) * MINUTE;
    const up = 1_000_000_000 + minute * MINUTE;
    const flow = (from: string, destination: string, packets: number, isOut: boolean) =>
      [
        from,
        destination,
        isOut ? 40_000 : 443,
        isOut ? 443 : 40_000,
        17,
        packets * 800,
        packets,
        isOut ? 1 : 2,
        isOut ? 2 : 1,
        up,
        up + 50_000,
      ] as const;
    const rows = [
      flow('10.20.0.10', '198.51.100.7', 200 + (minute % 7), true),
      flow('198.51.100.7', '10.20.0.10', 190, false),
    ];
    if (minute >= 3 && minute < 13) {
      for (const host of ['10.20.0.10', '10.20.0.11']) {
        rows.push(flow(host, to, 9000, true));
        const back = Math.round(9000 * scenario.returnRatio);
        if (back > 0) rows.push(flow(to, host, back, false));
      }
    }
    const datagram = buildV9(
      { uptimeMs: 1_000_000_000 + (minute + 1) * MINUTE, seconds: atMs / 1000, sequence: minute + 120 },
      v9Template(300, FIELDS),
      dataSet(300, FIELDS, rows),
    );
    frames.push(frame(atMs, datagram));
  }
  return Buffer.concat(frames);
}

/** Little-endian, microseconds, raw IP (LINKTYPE_RAW 101). */
export function pcapHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(101, 20);
  return header;
}

export function frame(atMs: number, payload: Uint8Array): Buffer {
  const ip = Buffer.alloc(28);
  ip[0] = 0x45;
  ip.writeUInt16BE(28 + payload.length, 2);
  ip[8] = 64;
  ip[9] = 17;
  Buffer.from(u32(0xc0000202)).copy(ip, 12);
  Buffer.from(u32(0x0a630001)).copy(ip, 16);
  ip.writeUInt16BE(50_000, 20);
  ip.writeUInt16BE(2055, 22);
  ip.writeUInt16BE(8 + payload.length, 24);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(Math.floor(atMs / 1000), 0);
  head.writeUInt32LE((atMs % 1000) * 1000, 4);
  head.writeUInt32LE(28 + payload.length, 8);
  head.writeUInt32LE(28 + payload.length, 12);
  return Buffer.concat([head, ip, payload]);
}
