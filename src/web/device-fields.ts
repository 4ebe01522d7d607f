// what a device is registered with -> its columns, each field checked; and the columns -> what the API shows
import { type Static, Type } from 'typebox';
import { definitionOf, definitions } from '../../devices/index.ts';
import { formatAddress, parseAddress } from '../model/addresses.ts';
import type { Services } from '../services.ts';
import type { Device, DeviceHealth } from '../store/postgres/devices.ts';
import { presentSource, Source, sourceColumn } from './device-source.ts';
import {
  Algorithms,
  Credential,
  fingerprint,
  hostOf,
  Jump,
  JumpView,
  jumpColumn,
  LegacyProfiles,
  presentJump,
  presentProfiles,
  sealedCredential,
} from './device-ssh.ts';
import { checked, problem } from './problem.ts';
import { Name, Nullable, Strict, Texts, Time } from './schema.ts';

const fields = {
  name: Name,
  address: Type.String({
    minLength: 1,
    maxLength: 253,
    description: 'Where SSH connects to: host name or address',
  }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  username: Type.String({ minLength: 1, maxLength: 200, description: 'Of the account for SSH' }),
  credential: Nullable(Credential),
  legacyProfiles: LegacyProfiles,
  jump: Jump,
  source: Source,
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

/** A user name is needed only where it is pulled over SSH. POSTERN_PULL_INTERVAL_SECONDS stands in for a missing interval, 22 for the port, UTC for the zone. */
export const DeviceDraft = Strict({
  ...Type.Partial(Type.Object(fields)).properties,
  name: fields.name,
  vendor: Type.String({
    maxLength: 100,
    description: `One of ${definitions.map(({ vendor }) => vendor).join(', ')}`,
  }),
  address: fields.address,
});

export const DevicePatch = Type.Partial(Type.Object(fields), { additionalProperties: false });

export const DeviceView = Type.Object({
  id: Type.String(),
  vendor: Type.String(),
  ...Type.Omit(Type.Object(fields), ['credential', 'jump']).properties,
  hasCredential: Type.Boolean(),
  jump: JumpView,
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
  legacyProfiles: LegacyProfiles,
  algorithms: Nullable(
    Type.Object(Algorithms.properties, { description: 'What its last session agreed on' }),
  ),
});

/** Columns of the fields that are given; `before` is the device as it is. Throws 400 that names the field. */
export function deviceColumns(
  given: Static<typeof DevicePatch>,
  services: Services,
  before?: Device,
): Partial<Device> {
  const { credential } = given;
  const columns: Partial<Device> = {
    name: given.name,
    address: given.address && hostOf('address', given.address),
    port: given.port,
    username: given.username,
    legacy_profiles: given.legacyProfiles,
    jump: given.jump && jumpColumn(given.jump, before?.jump ?? [], services),
    ...(given.source && { source: sourceColumn(given.source, services), source_commit: null }),
    pull_interval_seconds: given.pullIntervalSeconds,
    addresses: given.addresses && addressesOf('addresses', given.addresses),
    exporters: given.exporters && addressesOf('exporters', given.exporters),
    ticket_pattern: given.ticketPattern && patternOf(given.ticketPattern),
    time_zone: given.timeZone && zoneOf(given.timeZone),
    owner_group: given.ownerGroup,
    configuration_item: given.configurationItem,
    credential: credential && sealedCredential('credential', credential, services),
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
    legacyProfiles: presentProfiles(device.legacy_profiles),
    jump: presentJump(device.jump),
    source: presentSource(device.source),
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

/** With what is old about its sessions: the profiles that are on, and what was agreed on. */
export function presentHealth(
  { legacy_profiles }: Device,
  health: DeviceHealth | undefined,
): Static<typeof HealthView> {
  return {
    lastAttemptAt: health?.last_attempt_at?.toISOString() ?? null,
    lastSuccessAt: health?.last_success_at?.toISOString() ?? null,
    consecutiveFailures: health?.consecutive_failures ?? 0,
    lastErrorCode: health?.last_error_code ?? null,
    lastError: health?.last_error ?? null,
    legacyProfiles: presentProfiles(legacy_profiles),
    algorithms: (health?.algorithms ?? null) as Static<typeof Algorithms> | null,
  };
}
