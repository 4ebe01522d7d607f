// secrets in VyOS and EdgeOS configurations, in braces and as set lines
import type { SecretPattern } from '../definition.ts';

/** A value behind a word: in quotes to their end, else up to the next blank. */
const VALUE = String.raw`\s+['"]?((?<=')[^']+|(?<=")[^"]+|[^\s'"{}]+)`;
const behind = (words: string): RegExp => new RegExp(`(?:^|\\s)(?:${words})${VALUE}`);

export const vyosSecrets: readonly SecretPattern[] = [
  {
    pattern: behind('encrypted-password|plaintext-password|password'),
    example: "set system login user ops authentication encrypted-password '$6$saltsalt$abcdefgh'",
  },
  {
    pattern: behind('pre-shared-secret|pre-shared-key|preshared-key|shared-secret-key|private-key'),
    example: "set interfaces wireguard wg0 private-key 'cHJpdmF0ZS1rZXktb2YtZWRnZTAxLXdnMC0wMDAwMDA='",
  },
  {
    pattern: behind('passphrase|md5-key|auth-key|plaintext-key|plaintext-auth|secret|bearer-token|token'),
    example: "set vpn ipsec authentication psk branch secret 'Harvest-Moon-44'",
  },
  {
    pattern: behind(String.raw`community(?!-list|\s+(?:authorization|client|network)\b)`),
    example: "set service snmp community 'n0c-read' authorization 'ro'",
  },
  {
    pattern: new RegExp(
      String.raw`(?:\b(?:radius|tacacs)\b.*|\bapi keys id \S+|\bprivate|\bshared-secret \S+|\bmd5 key-id \d+|^)\s+(?:md5-)?key${VALUE.replace(
        '((?<=',
        '(?!AAAA)((?<=',
      )}`,
    ),
    example: "set system login radius server 10.9.0.9 key 'Radius-4-All'",
  },
];
