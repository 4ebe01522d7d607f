// /v1/devices: register, change, remove, pull now
import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import type { Services } from '../services.ts';
import {
  type Device,
  deleteDevice,
  deviceById,
  deviceHealth,
  insertDevice,
  listDevices,
  updateDevice,
} from '../store/postgres/devices.ts';
import { callerOf, note } from './authorise.ts';
import {
  checkVendor,
  DeviceDraft,
  DevicePatch,
  DeviceView,
  deviceColumns,
  HealthView,
  presentDevice,
  presentHealth,
} from './device-fields.ts';
import { found, isTaken, nameTaken, problem } from './problem.ts';
import { cursorKey, IdParams, Nothing, Page, PageQuery, pageOf, Strict, type Web } from './schema.ts';

const tags = ['devices'];
const Queued = Type.Object({ queued: Type.Boolean() });

const deviceOf = async ({ postgres }: Services, id: string): Promise<Device> =>
  found(await deviceById(postgres, id), 'device');
/** A device that is only pushed has no schedule. */
const schedule = ({ jobs }: Services, { id, source }: Device, everyMs: number | null) =>
  jobs.every(
    'pull-device',
    id,
    { deviceId: id, cause: 'schedule' },
    source?.kind === 'push' ? null : everyMs,
  );
const pull = ({ jobs }: Services, deviceId: string) =>
  jobs.add('pull-device', { deviceId, cause: 'request' });

export function deviceRoutes(app: Web): void {
  register(app);
  list(app);
  read(app);
  change(app);
  remove(app);
  pullNow(app);
  resetHostKey(app);
  readHealth(app);
}

function register(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/devices',
    {
      schema: {
        tags,
        summary: 'Register a device; it is pulled at once, then on its schedule',
        body: DeviceDraft,
        response: { 201: DeviceView },
      },
      config: { right: 'devices:write', audit: 'device.register' },
    },
    async (request, reply) => {
      const { vendor, ...given } = request.body;
      const defaults = {
        port: 22,
        username: '',
        source: null,
        source_commit: null,
        credential: null,
        host_key: null,
        legacy_profiles: [],
        jump: [],
        pull_interval_seconds: services.settings.POSTERN_PULL_INTERVAL_SECONDS,
        addresses: [],
        exporters: [],
        ticket_pattern: null,
        time_zone: 'UTC',
        owner_group: null,
        configuration_item: null,
      };
      const device = {
        ...defaults,
        ...deviceColumns(given, services),
        id: randomUUID(),
        vendor: checkVendor(vendor),
        created_at: new Date(services.now()),
        created_by: callerOf(request).actor,
      } as Device;
      if (device.source === null && device.username === '')
        throw problem(400, 'no-user-name', 'a device that is pulled over SSH needs a user name', 'username');
      if (!(await insertDevice(services.postgres, device))) throw nameTaken('device', device.name);
      // A schedule begins with a pull at once.
      await schedule(services, device, device.pull_interval_seconds * 1000);
      note(request, `device/${device.id}`, { name: device.name, address: device.address });
      return reply.code(201).header('location', `/v1/devices/${device.id}`).send(presentDevice(device));
    },
  );
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/devices',
    {
      schema: {
        tags,
        summary: 'List devices in order of name',
        querystring: Strict(PageQuery),
        response: { 200: Page(DeviceView) },
      },
      config: { right: 'devices:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const after = cursorKey(cursor, 1)?.[0];
      const rows = await listDevices(services.postgres, { after, limit: limit + 1 });
      return pageOf(rows, limit, (row) => [row.name], presentDevice);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/devices/:id',
    {
      schema: { tags, summary: 'Read a device', params: IdParams, response: { 200: DeviceView } },
      config: { right: 'devices:read' },
    },
    async ({ params }) => presentDevice(await deviceOf(services, params.id)),
  );
}

function change(app: Web): void {
  const { services } = app;
  app.patch(
    '/v1/devices/:id',
    {
      schema: {
        tags,
        summary: 'Change a device; a credential is replaced whole',
        params: IdParams,
        body: DevicePatch,
        response: { 200: DeviceView },
      },
      config: { right: 'devices:write', audit: 'device.change' },
    },
    async (request) => {
      const { params, body } = request;
      const before = await deviceOf(services, params.id);
      const columns = deviceColumns(body, services, before);
      if (Object.keys(columns).length === 0) return presentDevice(before);
      const after = await updateDevice(services.postgres, params.id, columns).catch((error) => {
        throw isTaken(error) ? nameTaken('device', body.name!) : error;
      });
      const device = found(after, 'device');
      if (
        device.pull_interval_seconds !== before.pull_interval_seconds ||
        device.source?.kind !== before.source?.kind
      )
        await schedule(services, device, device.pull_interval_seconds * 1000);
      note(request, `device/${device.id}`, { name: device.name, fields: Object.keys(body) });
      return presentDevice(device);
    },
  );
}

function remove(app: Web): void {
  const { services } = app;
  app.delete(
    '/v1/devices/:id',
    {
      schema: {
        tags,
        summary: 'Remove a device with its snapshots and changes; its alerts stay',
        params: IdParams,
        response: { 204: Nothing },
      },
      config: { right: 'devices:write', audit: 'device.remove' },
    },
    async (request, reply) => {
      const device = await deviceOf(services, request.params.id);
      await schedule(services, device, null);
      await deleteDevice(services.postgres, device.id);
      note(request, `device/${device.id}`, { name: device.name });
      return reply.code(204).send(undefined);
    },
  );
}

function pullNow(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/devices/:id/pull',
    {
      schema: { tags, summary: 'Pull its configuration now', params: IdParams, response: { 202: Queued } },
      config: { right: 'devices:write', audit: 'device.pull' },
    },
    async (request, reply) => {
      const device = await deviceOf(services, request.params.id);
      if (device.source?.kind === 'push')
        throw problem(409, 'only-pushed', `${device.name} is not pulled; push its configuration`);
      await pull(services, device.id);
      note(request, `device/${device.id}`, { name: device.name });
      return reply.code(202).send({ queued: true });
    },
  );
}

function resetHostKey(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/devices/:id/host-key/reset',
    {
      schema: {
        tags,
        summary: 'Forget the pinned host key; the next pull pins the one it meets',
        params: IdParams,
        response: { 200: DeviceView },
      },
      config: { right: 'devices:write', audit: 'device.reset-host-key' },
    },
    async (request) => {
      const device = found(
        await updateDevice(services.postgres, request.params.id, { host_key: null }),
        'device',
      );
      note(request, `device/${device.id}`, { name: device.name });
      return presentDevice(device);
    },
  );
}

function readHealth(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/devices/:id/health',
    {
      schema: { tags, summary: 'How its pulls fare', params: IdParams, response: { 200: HealthView } },
      config: { right: 'devices:read' },
    },
    async ({ params }) => {
      const device = await deviceOf(services, params.id);
      return presentHealth(device, (await deviceHealth(services.postgres, [device.id])).get(device.id));
    },
  );
}
