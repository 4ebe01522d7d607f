// what PAN-OS keeps secret, in curly, set and XML form
import type { SecretPattern } from '../definition.ts';

export const panosSecrets: readonly SecretPattern[] = [
  // Whatever the device encrypts with its master key, wherever it stands.
  { pattern: /(-AQ==[A-Za-z0-9+/=]{4,16384})/, example: '<key>-AQ==xbWfV2bPj0ZLNQ==</key>' },
  // Password hashes of administrators and local users.
  {
    pattern: /\bphash\b[\s>]\s*"?(\*|[^\s;<>"]{2,512})/,
    example: '<phash>$5$abcd$Rk9yRXhhbXBsZU9ubHk</phash>',
  },
  {
    pattern:
      /<(?:password|secret|key|private-key|bind-password|snmp-community-string|authpwd|privpwd|passphrase|shared-secret|auth-key|api-key|auth-password|priv-password|token)>([^<>]{1,16384})<\//,
    example: '<snmp-community-string>mon-ro-7</snmp-community-string>',
  },
  {
    pattern:
      /(?:^|\s)(?:password|secret|private-key|bind-password|snmp-community-string|authpwd|privpwd|passphrase|shared-secret|auth-key|api-key|auth-password|priv-password|token|pre-shared-key key|key)\s+(?!(?:yes|no)\b)("[^"]{1,4096}"|[^\s;"{}[\]]{1,16384})/,
    example: '            snmp-community-string mon-ro-7;',
  },
];
