// what the operator says about the site itself
import { type AddressSet, addressSet, unionAddresses } from './addresses.ts';

export interface Site {
  /** Addresses that belong to the site; everything else is external. */
  readonly internal: AddressSet;
}

/** RFC 1918, RFC 6598 (CGNAT) and RFC 4193 (ULA): internal at every site. */
export const PRIVATE_ADDRESSES: AddressSet = addressSet(
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
);

/** For rules, which also name what never leaves its link or host: link-local (RFC 3927, RFC 4291) and loopback. */
export const DEFAULT_INTERNAL: AddressSet = unionAddresses(
  PRIVATE_ADDRESSES,
  addressSet('169.254.0.0/16', '127.0.0.0/8', 'fe80::/10', '::1'),
);
