// how a device is logged into: what the API takes -> columns, each field checked; and back, without a secret
import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import type { Services } from '../services.ts';
import { LEGACY_PROFILES, type LegacyProfile, PROFILE_TITLES } from '../snapshots/algorithms.ts';
import { REFERRED, SECRET_FILE, SECRET_VARIABLE, type StoredCredential } from '../snapshots/credential.ts';
import { connectAddress } from '../snapshots/place.ts';
import type { JumpHost } from '../store/postgres/schema.ts';
import { checked, problem } from './problem.ts';
import { Nullable, oneOf, Strict } from './schema.ts';

const Secret = Type.String({ minLength: 1, maxLength: 32_768, writeOnly: true });
const File = Type.String({ pattern: SECRET_FILE.source, maxLength: 1000 });
const Source = Type.Union(
  [Strict({ env: Type.String({ pattern: SECRET_VARIABLE.source }) }), Strict({ file: File })],
  {
    description:
      'In place of the secret: a variable of the service whose name begins with POSTERN_DEVICE_SECRET_, or a file in POSTERN_SECRETS_FOLDER',
  },
);

export const Credential = Strict({
  password: Type.Optional(Secret),
  passwordFrom: Type.Optional(Source),
  privateKey: Type.Optional(Secret),
  privateKeyFrom: Type.Optional(Source),
  passphrase: Type.Optional(Secret),
  passphraseFrom: Type.Optional(Source),
  enablePassword: Type.Optional(Secret),
  enablePasswordFrom: Type.Optional(Source),
  agent: Type.Optional(
    Type.String({
      pattern: SECRET_FILE.source,
      maxLength: 1000,
      description: "An SSH agent's socket in POSTERN_SECRETS_FOLDER",
    }),
  ),
});

export const LegacyProfiles = Type.Array(oneOf(LEGACY_PROFILES), {
  maxItems: LEGACY_PROFILES.length,
  uniqueItems: true,
  description: `Old SSH algorithms that are offered too, none by default. ${LEGACY_PROFILES.map(
    (profile) => `${profile}: ${PROFILE_TITLES[profile]}`,
  ).join('; ')}`,
});

const place = {
  address: Type.String({ minLength: 1, maxLength: 253, description: 'Host name or address' }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, default: 22 }),
  username: Type.String({ minLength: 1, maxLength: 200 }),
};

export const Jump = Type.Array(
  Strict({
    ...place,
    credential: Type.Optional(Nullable(Credential)),
    hostKey: Type.Optional(
      Nullable(
        Type.String({
          pattern: '^[\\w@.-]{1,64} [A-Za-z0-9+/]{16,16384}={0,2}$',
          description: 'The only key to accept, as in known_hosts: type and base64; null forgets it',
        }),
      ),
    ),
    legacyProfiles: Type.Optional(LegacyProfiles),
  }),
  {
    maxItems: 5,
    description:
      'SSH hosts on the way, in order; replaced whole. What a host with the same address, port and user name leaves out it keeps',
  },
);

export const JumpView = Type.Array(
  Type.Object({
    ...place,
    hasCredential: Type.Boolean(),
    hostKeyFingerprint: Nullable(Type.String({ description: 'SHA-256, as OpenSSH prints it' })),
    legacyProfiles: LegacyProfiles,
  }),
);

export const Algorithms = Type.Object({
  kex: Type.String(),
  hostKey: Type.String(),
  cipher: Type.String(),
  mac: Type.String(),
  legacyProfiles: Type.Array(Type.String(), { description: 'Those that the session needed' }),
});

/** Throws 400 where a secret is given twice, or one belongs to a key that is not given. */
export function sealedCredential(
  field: string,
  credential: Static<typeof Credential>,
  { seal }: Services,
): Buffer {
  for (const name of REFERRED) {
    if (credential[name] !== undefined && credential[`${name}From`] !== undefined)
      throw problem(400, 'two-secrets', `give ${name} or ${name}From, not both`, `${field}.${name}From`);
  }
  return seal.seal(JSON.stringify(credential satisfies StoredCredential));
}

/** Throws 400 that names the field. */
export const hostOf = (field: string, text: string): string =>
  checked(field, 'bad-address', () => connectAddress(text));

/** Throws 400 that names the field. `before` are the hosts until now. */
export function jumpColumn(
  jump: Static<typeof Jump>,
  before: readonly JumpHost[],
  services: Services,
): JumpHost[] {
  return jump.map((host, i) => {
    const address = hostOf(`jump.${i}.address`, host.address);
    const { port, username, credential, hostKey, legacyProfiles } = host;
    const known = before.find((other) => other.address === address && other.port === port);
    const knownUser = known?.username === username ? known : undefined;
    return {
      address,
      port,
      username,
      credential:
        credential === undefined
          ? (knownUser?.credential ?? null)
          : credential && sealedCredential(`jump.${i}.credential`, credential, services).toString('base64'),
      host_key: hostKey === undefined ? (known?.host_key ?? null) : hostKey,
      legacy_profiles: legacyProfiles ?? knownUser?.legacy_profiles ?? [],
    };
  });
}

export const presentJump = (jump: readonly JumpHost[]): Static<typeof JumpView> =>
  jump.map(({ address, port, username, credential, host_key, legacy_profiles }) => ({
    address,
    port,
    username,
    hasCredential: credential !== null,
    hostKeyFingerprint: host_key && fingerprint(host_key),
    legacyProfiles: presentProfiles(legacy_profiles),
  }));

export const presentProfiles = (profiles: readonly string[]): LegacyProfile[] =>
  LEGACY_PROFILES.filter((profile) => profiles.includes(profile));

export function fingerprint(hostKey: string): string {
  const hash = createHash('sha256').update(Buffer.from(hostKey.split(' ')[1] ?? '', 'base64'));
  return `SHA256:${hash.digest('base64').replace(/=+$/, '')}`;
}
