// what a device is registered with -> its columns, each field checked; and the columns -> what the API shows
import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { definitionOf, definitions } from '../../devices/index.ts';
import { formatAddress, parseAddress } from '../model/addresses.ts';
import type { Services } from '../services.ts';
import type { Device, DeviceHealth } from '../store/postgres/devices.ts';
import { checked, problem } from './problem.ts';
import { Name, Nullable, Strict, Texts, Time } from './schema.ts';

const Secret = Type.String({ minLength: 1, maxLength: 32_768, writeOnly: true });
const Credential = Strict({
  password: Type.Optional(Secret),
  privateKey: Type.Optional(Secret),
  passphrase: Type.Optional(Secret),
  enablePassword: Type.Optional(Secret),
});

const fields = {
  name: Name,
  address: Type.String({
    minLength: 1,
    maxLength: 253,
    description: 'Where SSH connects to: host name or address',
  }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  username: Type.String({ minLength: 1, maxLength: 200 }),
  credential: Nullable(Credential),
  legacyAlgorithms: Type.Boolean({ description: 'Also offer SHA-1 key exchange, CBC ciphers and ssh-rsa' }),
  pullIntervalSeconds: Type.Integer({ minimum: 10, maximum: 2_592_000 }),
  addresses: Texts(1000, "The device's own addresses: syslog sender, management, WAN"),
  exporters: Texts(100, 'Addresses that its flow exports come from'),
  ticketPattern: Nullable(
    Type.String({ minLength: 1, maxLength: 200, description: 'Regular expression of a ticket number' }),
  ),
  timeZone: Type.String({ minLength: 1, maxLength: 64, description: 'IANA name, of the change window' }),
  ownerGroup: Nullable(Name),
  configurationItem: Nullable(Name),
};

/** POSTERN_PULL_INTERVAL_SECONDS stands in for a missing interval, 22 for the port, UTC for the zone. */
export const DeviceDraft = Strict({
  ...Type.Partial(Type.Object(fields)).properties,
  name: fields.name,
  vendor: Type.String({
    maxLength: 100,
    description: `One of ${definitions.map(({ vendor }) => vendor).join(', ')}`,
  }),
  address: fields.address,
  username: fields.username,
});

export const DevicePatch = Type.Partial(Type.Object(fields), { additionalProperties: false });

export const DeviceView = Type.Object({
  id: Type.String(),
  vendor: Type.String(),
  ...Type.Omit(Type.Object(fields), ['credential']).properties,
  hasCredential: Type.Boolean(),
  hostKeyFingerprint: Nullable(
    Type.String({ description: 'SHA-256, as OpenSSH prints it; null before the first pull' }),
  ),
  createdAt: Time,
  createdBy: Type.String(),
});

export const HealthView = Type.Object({
  lastAttemptAt: Nullable(Time),
  lastSuccessAt: Nullable(Time),
  consecutiveFailures: Type.Integer(),
  lastErrorCode: Nullable(Type.String()),
  lastError: Nullable(Type.String()),
});

/** Columns of the fields that are given. Throws 400 that names the field. */
export function deviceColumns(given: Static<typeof DevicePatch>, services: Services): Partial<Device> {
  const { credential } = given;
  const columns: Partial<Device> = {
    name: given.name,
    address: given.address && hostOf(given.address),
    port: given.port,
    username: given.username,
    legacy_algorithms: given.legacyAlgorithms,
    pull_interval_seconds: given.pullIntervalSeconds,
    addresses: given.addresses && addressesOf('addresses', given.addresses),
    exporters: given.exporters && addressesOf('exporters', given.exporters),
    ticket_pattern: given.ticketPattern && patternOf(given.ticketPattern),
    time_zone: given.timeZone && zoneOf(given.timeZone),
    owner_group: given.ownerGroup,
    configuration_item: given.configurationItem,
    credential: credential && services.seal.seal(JSON.stringify(credential)),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** Throws 400 that lists the vendors. */
export function checkVendor(vendor: string): string {
  if (definitionOf(vendor)) return vendor;
  const known = definitions.map((definition) => definition.vendor).join(', ');
  throw problem(400, 'unknown-vendor', `no vendor is called ${vendor}; known: ${known}`, 'vendor');
}

export const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*\.?$/i;

function hostOf(text: string): string {
  // Names such as "10.0.0.300" or "fade.be" would be taken for addresses where devices are compared with flows.
  if (/^[0-9a-f.:]+$/i.test(text) && /[.:]/.test(text))
    return checked('address', 'bad-address', () => formatAddress(parseAddress(text)));
  if (HOST_NAME.test(text)) return text;
  throw problem(400, 'bad-address', 'address is neither a host name nor an IP address', 'address');
}

/** Addresses in the form that they are compared in, each once. Throws 400 that names the entry. */
export const addressesOf = (field: string, texts: readonly string[]) => [
  ...new Set(
    texts.map((text, i) => checked(`${field}.${i}`, 'bad-address', () => formatAddress(parseAddress(text)))),
  ),
];

const patternOf = (text: string) =>
  checked('ticketPattern', 'bad-pattern', () => new RegExp(text, 'gi') && text);

export const zoneOf = (text: string) =>
  checked('timeZone', 'unknown-time-zone', () => new Intl.DateTimeFormat('en', { timeZone: text }) && text);

export function presentDevice(device: Device): Static<typeof DeviceView> {
  return {
    id: device.id,
    name: device.name,
    vendor: device.vendor,
    address: device.address,
    port: device.port,
    username: device.username,
    hasCredential: device.credential !== null,
    hostKeyFingerprint: device.host_key && fingerprint(device.host_key),
    legacyAlgorithms: device.legacy_algorithms,
    pullIntervalSeconds: device.pull_interval_seconds,
    addresses: device.addresses,
    exporters: device.exporters,
    ticketPattern: device.ticket_pattern,
    timeZone: device.time_zone,
    ownerGroup: device.owner_group,
    configurationItem: device.configuration_item,
    createdAt: device.created_at.toISOString(),
    createdBy: device.created_by,
  };
}

export function presentHealth(health: DeviceHealth | undefined): Static<typeof HealthView> {
  return {
    lastAttemptAt: health?.last_attempt_at?.toISOString() ?? null,
    lastSuccessAt: health?.last_success_at?.toISOString() ?? null,
    consecutiveFailures: health?.consecutive_failures ?? 0,
    lastErrorCode: health?.last_error_code ?? null,
    lastError: health?.last_error ?? null,
  };
}

function fingerprint(hostKey: string): string {
  const hash = createHash('sha256').update(Buffer.from(hostKey.split(' ')[1] ?? '', 'base64'));
  return `SHA256:${hash.digest('base64').replace(/=+$/, '')}`;
}
