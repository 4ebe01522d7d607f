// what is secret in an EOS configuration; lines as `show running-config` prints them
import type { SecretPattern } from '../definition.ts';

/** Types 0, 7 and 8a can be read back and are as good as plain. */
export const eosSecrets: readonly SecretPattern[] = [
  {
    pattern:
      /^(?:username \S+ .{0,120}|aaa root |enable )(?:secret|password) (?:(?:\d|sha512) )?(?!sha512 )(\S+)$/,
    example: 'username admin privilege 15 role network-admin secret sha512 $6$exAmple$UserEos',
  },
  { pattern: /^snmp-server community (\S+)/, example: 'snmp-server community CommunityEos ro' },
  {
    pattern:
      /^snmp-server host \S+ (?:vrf \S+ )?(?:(?:traps|informs) )?version (?:1|2c|3 (?:auth|noauth|priv)) (\S+)/,
    example: 'snmp-server host 192.0.2.8 version 2c TrapEos',
  },
  {
    pattern: /(?<=^snmp-server user .{0,200})(?:auth (?:md5|sha\d{0,3})|priv (?:des|aes\d{0,3})) (\S+)/,
    example: 'snmp-server user ops OPS v3 localized f5717f auth sha AuthEos priv aes PrivEos',
  },
  {
    pattern: /^(?:tacacs|radius)-server (?:.{1,120} )?key (?:[0-8]a? )?(\S+)$/,
    example: 'tacacs-server host 192.0.2.6 key 7 TacacsEos',
  },
  {
    pattern: /^\s+(?:neighbor \S+ )?(?:password|shared-key|key|shared-secret) (?:[078]a? )(\S+)$/,
    example: '   neighbor 203.0.113.9 password 7 BgpEos',
  },
  {
    pattern: /^\s+secret \d+ (?:[078]a? )?(\S+)/,
    example: '         secret 1 7 SessionEos receive-lifetime infinite',
  },
  {
    pattern: /\bmessage-digest-key \d{1,3} (?:md5|sha\d{0,3}) (?:[078]a? )?(\S+)$/,
    example: '   ip ospf message-digest-key 1 md5 7 OspfMd5Eos',
  },
  {
    pattern: /\b(?:authentication-key|authentication key|hello authentication key) (?:[078]a? )?(\S+)$/,
    example: '   ip ospf authentication-key 7 OspfEos',
  },
  {
    pattern: /^\s+(?:vrrp \d+ )?(?:peer )?authentication (?:text|ietf-md5 key-string) (?:[078]a? )?(\S+)$/,
    example: '   vrrp 1 peer authentication text VrrpEos',
  },
  {
    pattern: /^ntp authentication-key \d+ \S+ (?:[078]a? )?(\S+)$/,
    example: 'ntp authentication-key 1 md5 7 NtpEos',
  },
  {
    pattern: /^\s+key [0-9a-fA-F]{2,64} (?:[078]a? )(\S+)(?: fallback)?$/,
    example: '      key 0a0b 7 MacsecEos',
  },
  {
    pattern: /:\/\/[^\s:@/]{1,64}:([^\s@]{1,128})@/,
    example: '   exec /usr/bin/agent -server=https://agent:AgentEos@192.0.2.9',
  },
];
