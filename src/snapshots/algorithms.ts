// which SSH algorithms a device is offered: modern ones, and legacy ones by profiles that are named per device
import { getCiphers } from 'node:crypto';
import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';

/** Off by default; in the order that they are shown in. */
export const LEGACY_PROFILES = ['sha1-kex', 'cbc', 'ssh-rsa', 'ssh-dss'] as const;
export type LegacyProfile = (typeof LEGACY_PROFILES)[number];

/** One sentence each, for help and API. */
export const PROFILE_TITLES: Readonly<Record<LegacyProfile, string>> = {
  'sha1-kex': 'key exchange and message authentication by SHA-1 (diffie-hellman-group1-sha1, hmac-sha1)',
  cbc: 'CBC ciphers (AES and triple DES)',
  'ssh-rsa': 'RSA host keys that sign by SHA-1',
  'ssh-dss': 'DSA host keys',
};

interface Offer {
  readonly kex: readonly KexAlgorithm[];
  readonly serverHostKey: readonly ServerHostKeyAlgorithm[];
  readonly cipher: readonly CipherAlgorithm[];
  readonly hmac: readonly MacAlgorithm[];
}

const MODERN: Offer = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
};

const LEGACY: Readonly<Record<LegacyProfile, Partial<Offer>>> = {
  'sha1-kex': {
    kex: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
    hmac: ['hmac-sha1-etm@openssh.com', 'hmac-sha1'],
  },
  cbc: { cipher: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'] },
  'ssh-rsa': { serverHostKey: ['ssh-rsa'] },
  'ssh-dss': { serverHostKey: ['ssh-dss'] },
};

/** The names by which the crypto library knows the legacy ciphers; a build of it may lack some. */
const LIBRARY_NAMES: Readonly<Record<string, string>> = {
  'aes256-cbc': 'aes-256-cbc',
  'aes192-cbc': 'aes-192-cbc',
  'aes128-cbc': 'aes-128-cbc',
  '3des-cbc': 'des-ede3-cbc',
};

/**
 * What to offer. Where a key is pinned its own type comes first, so that a device with several keys shows the same one
 * again and is not taken for another.
 */
export function algorithmsFor(profiles: readonly LegacyProfile[], pinnedHostKey?: string): Algorithms {
  const all = <K extends keyof Offer>(kind: K): Offer[K][number][] => [
    ...MODERN[kind],
    ...LEGACY_PROFILES.filter((profile) => profiles.includes(profile)).flatMap((profile) =>
      available(LEGACY[profile][kind] ?? []),
    ),
  ];
  const hostKeys = all('serverHostKey');
  const pinnedType = pinnedHostKey?.split(' ', 1)[0];
  const isPinned = (name: string) =>
    name === pinnedType || (pinnedType === 'ssh-rsa' && name.startsWith('rsa-sha2-'));
  return {
    kex: all('kex'),
    serverHostKey: [...hostKeys.filter(isPinned), ...hostKeys.filter((name) => !isPinned(name))],
    cipher: all('cipher'),
    hmac: all('hmac'),
    compress: ['none'],
  };
}

function available<T extends string>(names: readonly T[]): T[] {
  const ciphers = getCiphers();
  return names.filter((name) => !(name in LIBRARY_NAMES) || ciphers.includes(LIBRARY_NAMES[name]));
}

/** The profile that an algorithm needs; undefined for a modern one and for one that no profile has. */
export function profileOf(algorithm: string): LegacyProfile | undefined {
  return LEGACY_PROFILES.find((profile) =>
    Object.values(LEGACY[profile]).some((names) => (names as readonly string[]).includes(algorithm)),
  );
}

/** Every algorithm of a kind that can be had at all, modern ones first. */
export const everyAlgorithm = (kind: keyof Offer): readonly string[] => [
  ...MODERN[kind],
  ...LEGACY_PROFILES.flatMap((profile) => available<string>(LEGACY[profile][kind] ?? [])),
];
