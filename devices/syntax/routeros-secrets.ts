// lines of a RouterOS export that hold a secret; broken lines are joined before (see joinedExport)
import type { SecretPattern } from '../definition.ts';

/** A value in quotes, with escapes, or one word. */
const VALUE = String.raw`("(?:[^"\\]|\\.)*"|[^\s"]+)`;

export const routerosSecrets: readonly SecretPattern[] = [
  {
    pattern: new RegExp(
      String.raw`(?:^|[\s.-])(?:password|passphrase|secrets?|private-key|preshared-key|pre-shared-key|psk|auth-key|authentication-key|encryption-key|enc-key|tcp-md5-key|private-pre-shared-key|shared-secret|passwd|community|token|api-key|pin)=${VALUE}`,
    ),
    example: 'add ipsec-secret="with \\"quotes\\" 7" name=gre1 remote-address=192.0.2.7',
  },
  {
    pattern: new RegExp(
      String.raw`(?:^|\s)(?:authentication-password|encryption-password|static-key-\d|static-sta-private-key|static-transmit-key-value|radius-password|dynamic-keys-psk)=${VALUE}`,
    ),
    example: 'add authentication-password=auth-Pw-1 encryption-password=enc-Pw-2 name=watch',
  },
];
