// what is secret in configurations of VRP and Comware; lines as `display current-configuration` prints them
import type { SecretPattern } from '../definition.ts';

/** `cipher` can be read back by whoever has the device's key, `simple` by everybody. */
export const vrpSecrets: readonly SecretPattern[] = [
  {
    pattern:
      /\b(?:irreversible-cipher|cipher|simple|hash|plain) (?!authentication-mode |cipher |simple )(\S+)/,
    example: ' password cipher %^%#VrpCipher%^%#',
  },
  {
    pattern: /^\s*snmp-agent community (?:read|write) (?!cipher |simple )(\S+)/,
    example: ' snmp-agent community read VrpCommunity',
  },
  {
    pattern: /\bauthentication-mode (?:md5|sha\S*|hmac-\S+) (?:\d{1,3} )?(?!cipher |plain |simple )(\S+)/,
    example: ' snmp-agent usm-user v3 ops OPS authentication-mode sha VrpAuth privacy-mode aes128 VrpPriv',
  },
  {
    pattern: /\bprivacy-mode (?:aes\d*|des\S*|3des) (?!cipher |simple )(\S+)/,
    example: ' snmp-agent usm-user v3 ops OPS authentication-mode sha VrpAuth privacy-mode aes128 VrpPriv',
  },
  {
    pattern: /\bsecurityname (?!cipher )(\S+)/,
    example: ' snmp-agent target-host trap address udp-domain 192.0.2.8 params securityname VrpTrap v2c',
  },
  {
    pattern: /:\/\/[^\s:@/]{1,64}:([^\s@]{1,128})@/,
    example: ' archive ftp://backup:VrpCopy@192.0.2.9/config',
  },
];
