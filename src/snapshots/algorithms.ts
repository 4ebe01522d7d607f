// which SSH algorithms a device is offered: a modern profile, and a legacy one that is named per device
import { getCiphers } from 'node:crypto';
import type { Algorithms, CipherAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';

const KEX = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
] as const;
const LEGACY_KEX = [
  'diffie-hellman-group-exchange-sha1',
  'diffie-hellman-group14-sha1',
  'diffie-hellman-group1-sha1',
] as const;

const HOST_KEYS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

const CIPHERS: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'chacha20-poly1305@openssh.com',
];
/** With the name that the crypto library knows each by; a build of it may lack some. */
const LEGACY_CIPHERS: readonly (readonly [CipherAlgorithm, string])[] = [
  ['aes256-cbc', 'aes-256-cbc'],
  ['aes192-cbc', 'aes-192-cbc'],
  ['aes128-cbc', 'aes-128-cbc'],
  ['3des-cbc', 'des-ede3-cbc'],
];

const MACS = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
] as const;
const LEGACY_MACS = ['hmac-sha1-etm@openssh.com', 'hmac-sha1'] as const;

/**
 * What to offer. Where a key is pinned its own type comes first, so that a device with several keys shows the same one
 * again and is not taken for another.
 */
export function algorithmsFor(legacy: boolean, pinnedHostKey?: string): Algorithms {
  const available = getCiphers();
  const hostKeys: ServerHostKeyAlgorithm[] = legacy ? [...HOST_KEYS, 'ssh-rsa'] : [...HOST_KEYS];
  const pinnedType = pinnedHostKey?.split(' ', 1)[0];
  const isPinned = (name: string) =>
    name === pinnedType || (pinnedType === 'ssh-rsa' && name.startsWith('rsa-sha2-'));
  return {
    kex: legacy ? [...KEX, ...LEGACY_KEX] : [...KEX],
    serverHostKey: [...hostKeys.filter(isPinned), ...hostKeys.filter((name) => !isPinned(name))],
    cipher: legacy
      ? [...CIPHERS, ...LEGACY_CIPHERS.flatMap(([name, known]) => (available.includes(known) ? name : []))]
      : [...CIPHERS],
    hmac: legacy ? [...MACS, ...LEGACY_MACS] : [...MACS],
    compress: ['none'],
  };
}
