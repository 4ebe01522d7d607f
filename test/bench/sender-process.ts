// the stream of exports.ts as a process of its own, for api.ts: the argument is a port; each message asks for a stretch
import { makeStream, sendStream } from './exports.ts';

export interface Stretch {
  readonly packetsPerSecond: number;
  readonly seconds: number;
}

const MAX_BEHIND_MS = 10;
const port = Number(process.argv[2]);
process.on('message', async ({ packetsPerSecond, seconds }: Stretch) => {
  const sent = await sendStream(makeStream(Date.now()), port, packetsPerSecond, seconds, MAX_BEHIND_MS);
  process.send?.({ sent });
});
process.send?.({});
