// what is secret in an IOS configuration; lines as `show running-config` prints them
import type { SecretPattern } from '../definition.ts';

/** Plain words and every type of encryption or hash, since the reversible ones (0, 7) are as good as plain. */
export const ciscoSecrets: readonly SecretPattern[] = [
  {
    pattern: /^enable (?:secret|password)(?: level \d{1,2})?(?: \d)? (\S+)$/,
    example: 'enable secret 9 $9$exAmpLe$secret',
  },
  {
    pattern: /^\s*username \S+ (?:.{0,200} )?(?:secret|password)(?: \d)? (\S.*)$/,
    example: 'username netops privilege 15 secret 5 $1$exAm$ple',
  },
  { pattern: /^snmp-server community (\S+)/, example: 'snmp-server community s3cret RO 10' },
  {
    pattern:
      /^snmp-server host \S+ (?:vrf \S+ )?(?:(?:traps|informs) )?(?:version (?:1|2c|3 \S+) )?(?!use-acl)(\S+)/,
    example: 'snmp-server host 10.0.0.9 vrf mgmt informs version 2c s3cret',
  },
  {
    pattern:
      /(?:auth (?:md5|sha(?: \d{3})?)|priv (?:des|3des|aes(?: \d{3})?))(?<=^snmp-server user .{0,320}) (\S+)/,
    example: 'snmp-server user ops OPS v3 auth sha s3cret priv aes 128 s3cret2',
  },
  { pattern: /^\s+key-string(?: \d)? (\S.*)$/, example: '  key-string 7 0512031F' },
  {
    pattern: /^crypto isakmp key (?:\d )?(\S+) (?:address|hostname|ipv6)\b/,
    example: 'crypto isakmp key s3cret address 203.0.113.9',
  },
  {
    pattern:
      /^\s+pre-shared-key (?:local |remote )?(?:(?:address|hostname) .{1,100}? key )?(?:\d )?(?!address |hostname )(\S+)$/,
    example: '  pre-shared-key address 203.0.113.9 key s3cret',
  },
  {
    pattern: /^\s+authentication (?:local|remote) pre-share key (?:\d )?(\S+)$/,
    example: ' authentication remote pre-share key s3cret',
  },
  {
    pattern: /^(?:tacacs|radius)-server (?:.{1,200} )?key (?:\d )?(\S.*)$/,
    example: 'tacacs-server host 10.0.0.8 key 7 0512031F',
  },
  // Server sub-modes and groups; a lone number is the id of a key in a key chain.
  { pattern: /^\s+key (?:[05-8] (\S+)|(?!\d+$)(\S+))$/, example: ' key 7 0512031F' },
  {
    pattern: /^\s+(?:client .{1,100} )?server-key (?:\d )?(\S+)$/,
    example: ' client 10.0.0.8 server-key s3cret',
  },
  {
    pattern: /^\s+server-private .{1,100}? key (?:\d )?(\S+)$/,
    example: ' server-private 10.0.0.8 auth-port 1812 acct-port 1813 key 7 0512031F',
  },
  {
    pattern: /^\s+ppp (?:chap password|eap password|pap sent-username \S+ password) (?:\d )?(\S+)$/,
    example: ' ppp chap password 7 0512031F',
  },
  { pattern: /^\s+neighbor \S+ password (?:\d )?(\S+)$/, example: ' neighbor 10.0.0.2 password 7 0512031F' },
  { pattern: /^ntp authentication-key \d+ \S+ (\S+)/, example: 'ntp authentication-key 1 md5 0512031F 7' },
  {
    pattern: /^\s+(?:wpa-psk|security wpa(?:\d)? psk set-key) (?:ascii|hex) (?:\d )?(\S+)/,
    example: '   wpa-psk ascii 7 0512031F',
  },
  {
    pattern:
      /^\s+(?:standby|vrrp|glbp)(?: \d+)? authentication (?!md5 key-chain)(?:md5 key-string |text )?(?:\d )?(\S+)/,
    example: ' standby 1 authentication md5 key-string s3cret',
  },
  {
    pattern: /\bmessage-digest-key \d+ md5 (?:\d )?(\S+)$/,
    example: ' ip ospf message-digest-key 1 md5 7 0512031F',
  },
  { pattern: /\bauthentication-key (?:\d )?(\S+)$/, example: ' ip ospf authentication-key 7 0512031F' },
  {
    pattern: /\bauthentication (?:ipsec spi \d+ (?:md5|sha1)|mode hmac-sha-256) (?:\d )?(\S+)$/,
    example: ' ospfv3 authentication ipsec spi 256 sha1 0123456789ABCDEF',
  },
  { pattern: /^\s+(?:l2tp tunnel )?password (?:\d )?(\S+)$/, example: ' password 7 0512031F' },
  { pattern: /^\s+ip nhrp authentication (\S+)$/, example: ' ip nhrp authentication s3cret' },
  { pattern: /^\s+(?:isis|domain-|area-)\s?password (\S+)/, example: ' isis password s3cret' },
  { pattern: /^ip (?:ftp|http client) password (?:\d )?(\S+)$/, example: 'ip ftp password 7 0512031F' },
  { pattern: /:\/\/[^\s:@/]{1,64}:([^\s@]{1,128})@/, example: ' path ftp://backup:s3cret@10.0.0.9/config' },
];
