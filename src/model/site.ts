// what the operator says about the site itself
import { type AddressSet, addressSet } from './addresses.ts';

export interface Site {
  /** Addresses that belong to the site; everything else is external. */
  readonly internal: AddressSet;
}

/** RFC 1918, CGNAT (RFC 6598), link-local (RFC 3927, RFC 4291), loopback, and ULA (RFC 4193). */
export const DEFAULT_INTERNAL: AddressSet = addressSet(
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1',
);
