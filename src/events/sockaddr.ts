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

/** Linux include/linux/socket.h; what has no name here keeps its number. */
const FAMILIES: Readonly<Record<number, string>> = {
  1: 'unix',
  2: 'ipv4',
  10: 'ipv6',
  16: 'netlink',
};

/** Everything that it says: family, then addr and port, or path, or saddr as it stood. undefined where it is too short to tell. */
export function socketFields(saddr: string): ReadonlyMap<string, string> | undefined {
  if (!/^(?:[0-9A-Fa-f]{2}){2,256}$/.test(saddr)) return undefined;
  const bytes = Buffer.from(saddr, 'hex');
  const family = bytes.readUInt16LE(0);
  const fields = new Map([['family', FAMILIES[family] ?? String(family)]]);
  const ip = readSocketAddress(saddr);
  if (ip) return fields.set('addr', ip.address).set('port', String(ip.port));
  if (family !== 1) return fields.set('saddr', saddr);
  // What stands behind the end of the path is left over; an abstract name begins with NUL.
  const isAbstract = bytes.length > 3 && bytes[2] === 0;
  const path = bytes.toString('utf8', isAbstract ? 3 : 2).split('\0', 1)[0];
  return fields.set('path', isAbstract && path !== '' ? `@${path}` : path);
}
