// "[user@]host[:port]" as people type it -> user, address and port; addresses in the form that they are connected to
import { isIP } from 'node:net';
import { formatAddress, parseAddress } from '../model/addresses.ts';

export interface Place {
  readonly username?: string;
  readonly address: string;
  readonly port?: number;
}

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*\.?$/i;
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i;

/** As `ssh -J` takes it; an IPv6 address with a port stands in brackets. Throws TypeError. */
export function parsePlace(text: string): Place {
  const at = text.lastIndexOf('@');
  const username = at >= 0 ? text.slice(0, at) : undefined;
  if (username === '') throw new TypeError(`no user name before the @ of ${shown(text)}`);
  const rest = text.slice(at + 1);
  const bracketed = /^\[([^\][]{1,100})\](?::(\d{1,5}))?$/.exec(rest);
  // Without brackets, a second colon means that all of it is an address.
  const plain = bracketed ?? /^([^:]{1,253})(?::(\d{1,5}))?$/.exec(rest);
  const [address, port] = plain ? [plain[1], plain[2]] : [rest, undefined];
  if (bracketed && isIP(address.split('%', 1)[0]) !== 6)
    throw new TypeError(`only an IPv6 address stands in brackets, not ${shown(address)}`);
  return {
    ...(username !== undefined && { username }),
    address: connectAddress(address),
    ...(port !== undefined && { port: portOf(port) }),
  };
}

/**
 * A host name, or an address in its shortest form. A link-local address needs its zone ("fe80::1%eth0", or the interface's
 * number where its name is not letters and digits), and nothing else may have one (RFC 4007 section 11). Throws TypeError.
 */
export function connectAddress(text: string): string {
  const [address, zone, ...more] = text.split('%');
  // Names such as "10.0.0.300" or "fade.be" would be taken for addresses where devices are compared with flows.
  if (!/^[0-9a-f.:]+$/i.test(address) || !/[.:]/.test(address)) {
    if (text.length <= 253 && HOST_NAME.test(text)) return text;
    throw new TypeError(`${shown(text)} is neither a host name nor an IP address`);
  }
  const formatted = formatAddress(parseAddress(address));
  const isLinkLocal = LINK_LOCAL.test(formatted);
  if (isLinkLocal && zone === undefined)
    throw new TypeError(`${formatted} is link-local: name the interface that leads to it, ${formatted}%eth0`);
  if (!isLinkLocal && zone !== undefined)
    throw new TypeError(`only link-local addresses have a zone, not ${shown(text)}`);
  if (zone !== undefined && (more.length > 0 || !/^[a-z0-9]{1,15}$/i.test(zone)))
    throw new TypeError(
      `the zone of ${shown(text)} is the name of an interface in letters and digits, or its number`,
    );
  return zone === undefined ? formatted : `${formatted}%${zone}`;
}

/** 1 to 65535. Throws TypeError. */
export function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new TypeError(`a port is 1 to 65535, not ${shown(text)}`);
  return port;
}

/** With brackets where an IPv6 address would run into the port. */
export const placeText = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address} port ${port}`;

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
