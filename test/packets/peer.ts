// node-netflowv9, where it is installed: the second opinion on v5 and v9
import { createRequire } from 'node:module';

export interface PeerFlow {
  readonly [name: string]: number | string;
}
export interface Peer {
  nfPktDecode(datagram: Buffer, sender: object): { flows: PeerFlow[]; header: PeerFlow };
  server: { close(): void };
}

export function openPeer(): Peer | undefined {
  try {
    const Decoder = createRequire(import.meta.url)('node-netflowv9') as new (callback: () => void) => Peer;
    return new Decoder(() => {});
  } catch {
    return undefined;
  }
}

export const SENDER = { address: '192.0.2.1', port: 2055, size: 0 };
