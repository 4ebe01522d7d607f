// /proc/net/udp -> datagrams that the kernel dropped because a socket of ours was full
import { readFile } from 'node:fs/promises';

/** A line per socket, hexadecimal local address and port in the second column, drops in the last (Linux: Documentation/networking/proc_net_tcp). */
const TABLES = ['/proc/net/udp', '/proc/net/udp6'];

/** Drops by port since the sockets on it were opened; empty where the system has no such table. */
export async function readKernelDrops(ports: readonly number[]): Promise<Map<number, number>> {
  const drops = new Map<number, number>();
  for (const path of TABLES) {
    const text = await readFile(path, 'latin1').catch(() => '');
    for (const [port, count] of parseKernelDrops(text, ports))
      drops.set(port, (drops.get(port) ?? 0) + count);
  }
  return drops;
}

/** Several sockets share a port (one a thread); their drops add up. */
export function parseKernelDrops(text: string, ports: readonly number[]): Map<number, number> {
  const drops = new Map<number, number>();
  for (const line of text.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    const port = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16);
    const count = Number(columns.at(-1));
    if (ports.includes(port) && Number.isInteger(count)) drops.set(port, (drops.get(port) ?? 0) + count);
  }
  return drops;
}
