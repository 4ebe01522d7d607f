// devices and their health in PostgreSQL
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import { encodeJson } from '../../model/json.ts';
import type { Database, DeviceHealthTable, DeviceTable } from './schema.ts';

export type Device = Selectable<DeviceTable>;
export type DeviceHealth = Selectable<DeviceHealthTable>;

export async function deviceById(postgres: Kysely<Database>, id: string): Promise<Device | undefined> {
  return postgres.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function allDevices(postgres: Kysely<Database>): Promise<Device[]> {
  return postgres.selectFrom('devices').selectAll().orderBy('name').execute();
}

export async function pinHostKey(postgres: Kysely<Database>, id: string, hostKey: string): Promise<void> {
  await postgres
    .updateTable('devices')
    .set({ host_key: hostKey })
    .where('id', '=', id)
    .where('host_key', 'is', null)
    .execute();
}

/** On first use: of the device, and of each host on the way that still stands where it stood. */
export async function pinHostKeys(
  postgres: Kysely<Database>,
  device: Device,
  seen: { readonly hostKey: string; readonly jumpHostKeys: readonly string[] },
): Promise<void> {
  if (device.host_key === null) await pinHostKey(postgres, device.id, seen.hostKey);
  if (device.jump.every(({ host_key }) => host_key !== null)) return;
  const pinned = device.jump.map((host, i) => ({ ...host, host_key: host.host_key ?? seen.jumpHostKeys[i] }));
  await postgres
    .updateTable('devices')
    .set({ jump: encodeJson(pinned) })
    .where('id', '=', device.id)
    .where('jump', '=', encodeJson(device.jump) as never)
    .execute();
}

/** Up to which commit of its repository a device was read. */
export async function setSourceCommit(postgres: Kysely<Database>, id: string, commit: string): Promise<void> {
  await postgres.updateTable('devices').set({ source_commit: commit }).where('id', '=', id).execute();
}

export async function recordPullSuccess(
  postgres: Kysely<Database>,
  deviceId: string,
  at: Date,
  algorithms?: unknown,
): Promise<void> {
  const health = {
    ...(algorithms === undefined ? {} : { algorithms: encodeJson(algorithms) }),
    last_attempt_at: at,
    last_success_at: at,
    consecutive_failures: 0,
    last_error_code: null,
    last_error: null,
  };
  await postgres
    .insertInto('device_health')
    .values({ device_id: deviceId, ...health })
    .onConflict((conflict) => conflict.column('device_id').doUpdateSet(health))
    .execute();
}

export async function recordPullFailure(
  postgres: Kysely<Database>,
  deviceId: string,
  at: Date,
  code: string,
  message: string,
): Promise<void> {
  const failure = { last_attempt_at: at, last_error_code: code, last_error: message.slice(0, 2000) };
  await postgres
    .insertInto('device_health')
    .values({ device_id: deviceId, consecutive_failures: 1, last_success_at: null, ...failure })
    .onConflict((conflict) =>
      conflict.column('device_id').doUpdateSet((eb) => ({
        ...failure,
        consecutive_failures: eb('device_health.consecutive_failures', '+', 1),
      })),
    )
    .execute();
}

/** Columns as they are read -> as they are written. */
const written = ({ jump, source, ...values }: Partial<Device>): Updateable<DeviceTable> => ({
  ...values,
  ...(jump && { jump: encodeJson(jump) }),
  ...(source !== undefined && { source: source && encodeJson(source) }),
});

/** In order of name, after `after`. */
export async function listDevices(
  postgres: Kysely<Database>,
  page: { readonly after?: string; readonly limit: number },
): Promise<Device[]> {
  return postgres
    .selectFrom('devices')
    .selectAll()
    .$if(page.after !== undefined, (query) => query.where('name', '>', page.after!))
    .orderBy('name')
    .limit(page.limit)
    .execute();
}

/** False where another device has the name. */
export async function insertDevice(postgres: Kysely<Database>, device: Device): Promise<boolean> {
  const row = await postgres
    .insertInto('devices')
    .values(written(device) as Insertable<DeviceTable>)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** The device as it is then; undefined where there is none. Throws the driver's 23505 where another device has the name. */
export async function updateDevice(
  postgres: Kysely<Database>,
  id: string,
  values: Partial<Device>,
): Promise<Device | undefined> {
  return postgres
    .updateTable('devices')
    .set(written(values))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** With its snapshots, changes and watches; alerts stay. */
export async function deleteDevice(postgres: Kysely<Database>, id: string): Promise<boolean> {
  const { numDeletedRows } = await postgres.deleteFrom('devices').where('id', '=', id).executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function deviceHealth(
  postgres: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, DeviceHealth>> {
  if (ids.length === 0) return new Map();
  const rows = await postgres.selectFrom('device_health').selectAll().where('device_id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.device_id, row]));
}

/** By id. */
export async function deviceNames(
  postgres: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await postgres.selectFrom('devices').select(['id', 'name']).where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}
