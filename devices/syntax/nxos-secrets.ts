// what is secret in an NX-OS configuration; lines as `show running-config` prints them
import type { SecretPattern } from '../definition.ts';

/** Types 0, 3, 6 and 7 can be read back and are as good as plain. */
export const nxosSecrets: readonly SecretPattern[] = [
  {
    pattern: /^username \S+ password (?:\d )?(\S+)/,
    example: 'username admin password 5 $5$exAmple$UserNx  role network-admin',
  },
  { pattern: /^enable secret (?:\d )?(\S+)/, example: 'enable secret 5 $5$exAmple$EnableNx' },
  {
    pattern: /^snmp-server community (\S+)/,
    example: 'snmp-server community CommunityNx group network-operator',
  },
  {
    pattern: /^snmp-server host \S+ (?:(?:traps|informs) )?version (?:1|2c|3 \S+) (\S+)/,
    example: 'snmp-server host 192.0.2.8 traps version 2c TrapNx',
  },
  {
    pattern:
      /(?<=^snmp-server user .{0,200})(?:auth (?:md5|sha(?:-\d{3})?)|priv(?: aes-\d{3})?) (?!aes-)(\S+)/,
    example: 'snmp-server user ops network-admin auth md5 0xauthnx priv aes-128 0xprivnx localizedkey',
  },
  {
    pattern: /^\s*(?:(?:tacacs|radius)-server )?(?:host \S+ )?key (?!chain )(?:[0-7] )?"?([^\s"]{2,})"?/,
    example: 'tacacs-server host 192.0.2.6 key 7 "TacacsNx"',
  },
  { pattern: /^\s+key-(?:octet-)?string (?:\d )?(\S+)/, example: '    key-string 7 KeyStringNx' },
  { pattern: /^\s+password (?:\d )?(\S+)$/, example: '    password 3 BgpNx' },
  {
    pattern: /\bmessage-digest-key \d{1,3} md5 (?:\d )?(\S+)$/,
    example: '  ip ospf message-digest-key 1 md5 3 OspfMd5Nx',
  },
  { pattern: /\bauthentication-key (?:\d )?(\S+)$/, example: '  ip ospf authentication-key 3 OspfNx' },
  {
    pattern: /^\s+authentication (?:md5 key-string (?:\d )?|text )"?([^\s"]+)"?/,
    example: '    authentication md5 key-string 7 "HsrpNx"',
  },
  { pattern: /^ntp authentication-key \d+ md5 (\S+)/, example: 'ntp authentication-key 1 md5 NtpNx 7' },
  { pattern: /:\/\/[^\s:@/]{1,64}:([^\s@]{1,128})@/, example: '  path ftp://backup:CopyNx@192.0.2.9/config' },
];
