// what Junos keeps secret: whatever it marks, and what it encrypts or is told in the clear
import type { SecretPattern } from '../definition.ts';

export const junosSecrets: readonly SecretPattern[] = [
  // Reversible ($9$, $8$) and hashed ($1$, $5$, $6$, $sha1$) forms, wherever they stand.
  {
    pattern: /(\$(?:[1568]|9|sha1)\$[^\s";]{1,4096})/,
    example: '        encrypted-password "$6$examplesalt$Zm9yIGV4YW1wbGUgb25seQ"; ## SECRET-DATA',
  },
  // The last word of a line that the device itself marks.
  {
    pattern: /(?:^|\s)("[^"]{1,4096}"|[^\s;"]{1,4096});\s{0,8}## SECRET-DATA/,
    example: '            secret "clear-for-a-while"; ## SECRET-DATA',
  },
  {
    pattern:
      /\b(?:encrypted-password|plain-text-password-value|ascii-text|hexadecimal|pre-shared-key(?: ascii-text| hexadecimal)?|authentication-password|privacy-password|authentication-key|privacy-key|simple-password|md5 \d{1,3} key|shared-secret|secret|passphrase|password|wpa-key) ("[^"]{1,4096}"|[^\s;"{[]{1,4096})/,
    example: 'set access radius-server 192.0.2.30 secret "radius-in-clear"',
  },
  {
    pattern:
      /^(?:set )?\s*(?:snmp )?community ("[^"]{1,256}"|(?!add|delete|set|\[)[^\s;"{]{1,256})(?=\s*(?:\{|authorization|clients|view|;|$|client-list))/,
    example: 'set snmp community watch-ro-7 authorization read-only',
  },
  // Addresses of archives and licences with a password in them.
  {
    pattern: /:\/\/[^\s/@:"]{1,128}:([^\s/@"]{1,512})@/,
    example: '"ftp://keeper:archive-pass@192.0.2.31/configs"',
  },
];
