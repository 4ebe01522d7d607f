// what is secret in an ASA configuration; lines as `more system:running-config` prints them, keys in clear
import type { SecretPattern } from '../definition.ts';

export const asaSecrets: readonly SecretPattern[] = [
  {
    pattern:
      /^(?:enable password|passwd) (\S+)(?: level \d{1,2})?(?: (?:encrypted|pbkdf2|mschap|nt-encrypted))?$/,
    example: 'enable password $sha512$5000$exAmple==$secret== pbkdf2',
  },
  {
    pattern: /^username \S+ password (\S+)/,
    example: 'username ops password exAmpleHash encrypted privilege 15',
  },
  {
    pattern: /^\s+ikev1 pre-shared-key (\S+)$/,
    example: ' ikev1 pre-shared-key s3cret-ikev1',
  },
  {
    pattern: /^\s+ikev2 (?:local|remote)-authentication pre-shared-key (?:[08] )?(\S+)$/,
    example: ' ikev2 remote-authentication pre-shared-key s3cret-remote',
  },
  { pattern: /^\s+pre-shared-key (\S+)$/, example: ' pre-shared-key s3cret-old' },
  {
    pattern: /^(?:isakmp|crypto isakmp) key (\S+) address\b/,
    example: 'isakmp key s3cret-isakmp address 203.0.113.9 netmask 255.255.255.255',
  },
  {
    pattern: /^snmp-server community (?:[08] )?(\S+)$/,
    example: 'snmp-server community s3cret-community',
  },
  {
    pattern: /^snmp-server host \S+ \S+ (?:(?:trap|poll) )?community (?:[08] )?(\S+)/,
    example: 'snmp-server host inside 192.0.2.8 community s3cret-trap version 2c',
  },
  {
    pattern: /\bauth (?:md5|sha\d{0,3}) (\S+)(?<=^snmp-server user .{1,400})/,
    example: 'snmp-server user ops OPS v3 encrypted auth sha 0a:1b:2c:3d priv aes 128 4e:5f:60:71',
  },
  {
    pattern: /\bpriv (?:des|3des|aes \d{3}) (\S+)(?<=^snmp-server user .{1,400})/,
    example: 'snmp-server user ops OPS v3 encrypted auth sha 0a:1b:2c:3d priv aes 128 4e:5f:60:71',
  },
  { pattern: /^\s+key (?:[08] )?(?!\d{1,3}$)(\S+)$/, example: ' key s3cret-tacacs' },
  {
    pattern: /^aaa-server \S+ (?:\(\S+\) )?host \S+ (?!timeout )(\S+)(?: timeout \d+)?$/,
    example: 'aaa-server OLD (inside) host 192.0.2.9 s3cret-aaa timeout 5',
  },
  { pattern: /^\s+radius-common-pw (\S+)$/, example: ' radius-common-pw s3cret-common' },
  { pattern: /^\s+ldap-login-password (?:[08] )?(\S+)$/, example: ' ldap-login-password s3cret-ldap' },
  {
    pattern: /^failover (?:key|ipsec pre-shared-key) (?:[08] )?(?:hex )?(\S+)$/,
    example: 'failover key s3cret-failover',
  },
  {
    pattern: /\b(?:message-digest-key \d{1,3} md5|authentication-key)(?: [08])? (\S+)$/,
    example: ' ospf message-digest-key 1 md5 s3cret-ospf',
  },
  {
    pattern: /^\s+authentication key eigrp \d+ (\S+) key-id \d+$/,
    example: ' authentication key eigrp 10 s3cret-eigrp key-id 1',
  },
  {
    pattern: /^\s+neighbor \S+ password (?:\d )?(\S+)$/,
    example: '  neighbor 192.0.2.7 password s3cret-bgp',
  },
  {
    pattern: /^ntp authentication-key \d+ \S+ (?:[08] )?(\S+)$/,
    example: 'ntp authentication-key 1 md5 s3cret-ntp',
  },
  {
    pattern: /^vpdn username \S+ password (\S+)/,
    example: 'vpdn username dsl@example.net password s3cret-dsl store-local',
  },
  {
    pattern: /^(?:crypto )?key config-key password-encryption (\S+)/,
    example: 'key config-key password-encryption s3cret-master',
  },
  {
    pattern: /^wccp .{1,200}? password (\S+)$/,
    example: 'wccp web-cache redirect-list CACHED password s3cret-wccp',
  },
  {
    pattern: /:\/\/[^\s:@/]{1,64}:([^\s@]{1,128})@/,
    example: ' config-url ftp://backup:s3cret-ftp@192.0.2.10/act.cfg',
  },
];
