// lines of a FortiOS configuration that hold a secret
import type { SecretPattern } from '../definition.ts';

/**
 * Values that the device encrypts stand behind ENC, whatever the setting is called; the others are what older versions and
 * hand-written texts show in clear. Private keys are hidden for every vendor.
 */
export const fortiosSecrets: readonly SecretPattern[] = [
  { pattern: /^\s*set \S{1,64} ENC "?([^\s"]+)/, example: '        set psksecret ENC AK1b2c3d4e5f6g7h8' },
  {
    pattern:
      /^\s*set (?:passwd|password|psksecret|secret|passphrase|sae-password|auth-pwd|priv-pwd|key-string|api-key|seed|group-password|authpasswd|old-password|wep-key|md5-key|authentication-key|keypair-password|shared-secret|ppp-password|auth-password|login-passwd|server-key|client-key|access-key|secret-key|login-password|proxy-password|pptp-password|http-password) (?!ENC )"?([^\s"]+)/,
    example: '        set passphrase guest-wifi-2026',
  },
];
