// tasks as JSON in the first argument -> packets, until killed; run inside of a namespace
//   {"task":"answer","address":A}                           UDP and TCP port 443: gives what it is asked for
//   {"task":"stream","from":A,"to":B,"port":P,"packetsPerSecond":N,"answeredShare":S,"answers":K}   UDP, 1000 bytes each
//   {"task":"fetch","from":A,"to":B,"byteCount":N,"everyMs":M}                                        TCP
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

export type TrafficTask =
  | { readonly task: 'answer'; readonly address: string }
  | {
      readonly task: 'stream';
      readonly from: string;
      readonly to: string;
      readonly port: number;
      readonly packetsPerSecond: number;
      /** Share of the packets that ask for an answer, and how many answers each of these gets. */
      readonly answeredShare: number;
      readonly answers: number;
    }
  | {
      readonly task: 'fetch';
      readonly from: string;
      readonly to: string;
      readonly byteCount: number;
      readonly everyMs: number;
    };

const PORT = 443;
const TICK_MS = 50;
const BLOCK = Buffer.alloc(1000, 'x');

/** The first byte of a packet says how many answers it wants. */
function answer(address: string): void {
  const udp = createSocket('udp4');
  udp.on('message', (message, { port, address: to }) => {
    for (let i = 0; i < message[0]; i++) udp.send(BLOCK, port, to);
  });
  udp.bind(PORT, address);
  createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (line) => socket.end(Buffer.alloc(Math.min(Number(line) || 0, 1 << 24), 'x')));
  }).listen(PORT, address);
}

function stream(task: Extract<TrafficTask, { task: 'stream' }>): void {
  const udp = createSocket('udp4');
  udp.on('message', () => {});
  udp.on('error', () => {});
  const began = performance.now();
  let sent = 0;
  udp.bind(0, task.from, () => {
    setInterval(() => {
      const due = ((performance.now() - began) / 1000) * task.packetsPerSecond;
      for (; sent < due; sent++) {
        const isAnswered =
          Math.floor((sent + 1) * task.answeredShare) > Math.floor(sent * task.answeredShare);
        const packet = Buffer.from(BLOCK);
        packet[0] = isAnswered ? task.answers : 0;
        udp.send(packet, task.port, task.to);
      }
    }, TICK_MS);
  });
}

function fetchAgain(task: Extract<TrafficTask, { task: 'fetch' }>): void {
  setInterval(() => {
    const socket = connect({ host: task.to, port: PORT, localAddress: task.from });
    socket.on('error', () => {});
    socket.resume();
    socket.write(`${task.byteCount}\n`);
  }, task.everyMs);
}

if (import.meta.main) {
  for (const task of JSON.parse(process.argv[2]) as TrafficTask[]) {
    if (task.task === 'answer') answer(task.address);
    else if (task.task === 'stream') stream(task);
    else fetchAgain(task);
  }
}
