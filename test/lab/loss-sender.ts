// arguments -> numbered export datagrams from a source port of one's own; in a namespace of the lab
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildIpfix, buildV9, dataSet, type Field, ipfixTemplate, v9Template } from '../packets/generate.ts';

const FIELDS: readonly Field[] = [
  [8, 4],
  [12, 4],
  [11, 2],
  [4, 1],
  [1, 4],
  [2, 4],
];
const RECORDS = 5;
const EACH_MS = 10;
const AT_ONCE = 5;
/** `late`: each tenth goes when so many others went; `bare`: without templates. */
const LATE_BY = 3;
const LATE_EACH = 10;

const [version, address, port, from, count, how] = process.argv.slice(2);
const startedAtMs = Number(process.env.STARTED_AT_MS);
const socket = createSocket('udp4');
socket.bind(Number(port), address);
let heldBack: Uint8Array | undefined;
for (let i = 0; i < Number(count); i++) {
  const number = Number(from) + i;
  const rows = Array.from({ length: RECORDS }, (_, row) => [
    `10.9.1.${row + 1}`,
    '198.51.100.9',
    443,
    17,
    100,
    1,
  ]);
  const seconds = Math.floor(Date.now() / 1000);
  const data = dataSet(256, FIELDS, rows);
  const datagram =
    version === 'v9'
      ? buildV9(
          { sequence: number, seconds, uptimeMs: Date.now() - startedAtMs },
          ...(how !== 'bare' ? [v9Template(256, FIELDS)] : []),
          data,
        )
      : buildIpfix(
          { sequence: number * RECORDS, seconds },
          ...(how !== 'bare' ? [ipfixTemplate(256, FIELDS)] : []),
          data,
        );
  if (how === 'late' && i % LATE_EACH === 0) heldBack = datagram;
  else socket.send(datagram, 2055, '10.9.0.1');
  if (heldBack && i % LATE_EACH === LATE_BY) {
    socket.send(heldBack, 2055, '10.9.0.1');
    heldBack = undefined;
  }
  if (i % AT_ONCE === AT_ONCE - 1) await sleep(EACH_MS);
}
await sleep(50);
socket.close();
