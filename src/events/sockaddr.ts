// saddr of an audit record (hexadecimal of struct sockaddr) -> address and port
import { formatAddress, parseAddress } from '../model/addresses.ts';

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** The family is in the byte order of the host, in practice little-endian; port and address are big-endian. undefined where it is not IP. */
export function readSocketAddress(saddr: string): SocketAddress | undefined {
  if (!/^(?:[0-9A-Fa-f]{2}){8,128}$/.test(saddr)) return undefined;
  const bytes = Buffer.from(saddr, 'hex');
  const family = bytes.readUInt16LE(0);
  const port = bytes.readUInt16BE(2);
  if (family === 2) return { address: bytes.subarray(4, 8).join('.'), port };
  if (family !== 10 || bytes.length < 24) return undefined;
  const groups = bytes.subarray(8, 24).toString('hex').match(/.{4}/g)!;
  return { address: formatAddress(parseAddress(groups.join(':'))), port };
}
