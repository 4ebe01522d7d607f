// what is secret in an IOS-XR configuration; lines as `show running-config` prints them
import type { SecretPattern } from '../definition.ts';

/** Type 7 ("encrypted", "7") can be read back and is as good as plain. */
export const xrSecrets: readonly SecretPattern[] = [
  // Users, lines, keys of protocols: `secret 10 $6$...`, `password encrypted 0822...`, `hmac-md5 encrypted ...`.
  {
    pattern: /^\s*(?:username \S+ )?(?:secret|password)(?: \d{1,2})? (?!encrypted |clear |lsp |level )(\S+)$/,
    example: ' secret 10 $6$exAmple$UserSecret',
  },
  { pattern: /\b(?:encrypted|clear) ([0-9A-Za-z!-~]+)(?= |$)/, example: '  password encrypted 08224F4C' },
  {
    pattern: /^\s+key-string(?: password)? (?!password )(\S+)$/,
    example: '  key-string password 0811KeyString',
  },
  {
    pattern: /^\s*(?:(?:tacacs|radius)-server )?(?:host .{1,100} )?key (?:[0-7] (\S+)|(?!\d+$|chain )(\S+))$/,
    example: ' key 7 0877TacacsKey',
  },
  {
    pattern: /^snmp-server community (?!encrypted |clear |RO$|RW$)(\S+)/,
    example: 'snmp-server community S3cretXr RO SystemOwner',
  },
  {
    pattern:
      /^snmp-server host \S+ (?:traps|informs) (?:encrypted |clear )?version (?:1|2c|3 \S+) (?!encrypted |clear )(\S+)/,
    example: 'snmp-server host 192.0.2.8 traps version 2c TrapXr',
  },
  { pattern: /^\s+text-authentication (\S+)$/, example: '    text-authentication VrrpText' },
  {
    pattern: /^\s+authentication-key (?!encrypted |clear )(\S+)$/,
    example: '  authentication-key OspfPlain',
  },
  {
    pattern: /\bmessage-digest-key \d{1,3} md5 (?!encrypted |clear )(\S+)$/,
    example: '  message-digest-key 1 md5 OspfMd5Plain',
  },
  { pattern: /^\s+pre-shared-key (?!encrypted |clear )(\S+)$/, example: '  pre-shared-key IkeXrKey' },
  {
    pattern: /:\/\/[^\s:@/]{1,64}:([^\s@]{1,128})@/,
    example: ' hw-module ftp://backup:CopyXrPw@192.0.2.9/image',
  },
];
