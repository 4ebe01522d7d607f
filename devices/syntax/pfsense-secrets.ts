// what config.xml keeps secret
import type { SecretPattern } from '../definition.ts';

export const pfsenseSecrets: readonly SecretPattern[] = [
  {
    // Values that only switch something on or off are none.
    pattern:
      /<(?:[\w-]{0,30}(?:password|passwd|passphrase|secret|psk|pre-shared-key|presharedkey|private_?-?key|privkey|bindpw|ldap_pw|shared_key|community|apikey|bcrypt-hash|sha512-hash|md5-hash)[\w-]{0,30}|prv|tls|key|otp_seed)>(?:<!\[CDATA\[)?(?!(?:[01]|on|off|yes|no|enabled|disabled|none)<)([^<\]]{1,65536})/,
    example: '<pre-shared-key>between-two-towns</pre-shared-key>',
  },
];

/** Lines of a static key of OpenVPN: 16 bytes each. */
export const staticKeyLine: SecretPattern = {
  pattern: /^\s*([\da-f]{32})\s*$/,
  example: '0123456789abcdef0123456789abcdef',
};
