// an endpoint's address -> whether a delivery may go there
import { isIP } from 'node:net';
import { type AddressSet, addressSet, hasAddress, parseAddress } from '../model/addresses.ts';
import { PosternError } from '../model/errors.ts';

/**
 * Never reached unless allowed by name: this host, loopback, link-local (which holds the clouds' metadata service), multicast,
 * reserved, and the IPv6 forms that carry or translate IPv4 (RFC 6890). Private ranges are allowed: a SOC's tools stand there.
 */
const FORBIDDEN: AddressSet = addressSet(
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '100.100.100.200',
  '224.0.0.0/3',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2002::/16',
  '2001::/32',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  'fd00:ec2::254',
  'fd20:ce::254',
);

export function isForbidden(address: string): boolean {
  try {
    return hasAddress(FORBIDDEN, parseAddress(address.replace(/^\[|\]$/g, '')));
  } catch {
    return true;
  }
}

/** Throws PosternError 'bad-endpoint' for what no delivery may be sent to; names are looked up at each delivery, by guardedAddresses. */
export function checkEndpointUrl(text: string, allowedHosts: readonly string[]): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new PosternError('bad-endpoint', 'the url is none; give one such as https://soc.example/hook');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new PosternError('bad-endpoint', 'the url must begin with https:// or http://');
  if (url.username || url.password)
    throw new PosternError(
      'bad-endpoint',
      'the url must hold no user name or password; deliveries are signed instead',
    );
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && isForbidden(host) && !allowedHosts.includes(host)) throw forbidden(host);
  return url;
}

/** The addresses of a host that may be connected to. Throws 'forbidden-address' where any is forbidden: a mixed answer is an attack. */
export function guardedAddresses<T extends { address: string }>(
  host: string,
  addresses: readonly T[],
  allowedHosts: readonly string[],
): readonly T[] {
  if (allowedHosts.includes(host)) return addresses;
  const bad = addresses.find(({ address }) => isForbidden(address));
  if (bad) throw forbidden(`${host} (${bad.address})`);
  return addresses;
}

function forbidden(host: string): PosternError {
  return new PosternError(
    'forbidden-address',
    `endpoints may not reach ${host}: it is a loopback, link-local, metadata or reserved address; POSTERN_WEBHOOK_ALLOWED_HOSTS allows it by name`,
  );
}
