// PUT /v1/devices/{id}/snapshots: a configuration that somebody else collected, stored as a pull's would be
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { definitionOf } from '../../devices/index.ts';
import { PosternError } from '../model/errors.ts';
import { readRules } from '../rules/read.ts';
import type { Services } from '../services.ts';
import { takeStored } from '../snapshots/stored-text.ts';
import { type Device, deviceById, recordPullSuccess } from '../store/postgres/devices.ts';
import { latestSnapshot } from '../store/postgres/snapshots.ts';
import { recordSnapshot } from '../watches/record.ts';
import { note } from './authorise.ts';
import { found, problem } from './problem.ts';
import { IdParams, Strict, Time, type Web } from './schema.ts';

const Pushed = Strict({
  takenAt: Type.Optional({
    ...Time,
    description: 'When the device had this configuration; now where left out',
  }),
  text: Type.String({
    minLength: 1,
    description: 'As the device prints it, whole; secrets are removed before anything is stored',
  }),
});
const Outcome = Type.Object({
  outcome: Type.Unsafe<'stored' | 'unchanged'>(
    Type.String({ enum: ['stored', 'unchanged'], description: 'unchanged: the same as the one before' }),
  ),
  snapshotId: Type.String(),
  beganAt: Time,
  ruleCount: Type.Integer(),
  unreadCount: Type.Integer(),
});
/** Clocks of collectors differ from ours. */
const AHEAD_MS = 300_000;

export function snapshotPushRoutes(app: Web): void {
  const { services } = app;
  app.register(async (scope) => {
    const bodyLimit = services.settings.POSTERN_PULL_MAX_BYTES;
    // `curl --data-binary @router.cfg` is how a script pushes a file.
    scope.addContentTypeParser(
      'text/plain',
      { parseAs: 'string', bodyLimit },
      async (request: FastifyRequest, text: string) => ({
        text,
        takenAt: (request.query as { takenAt?: string }).takenAt,
      }),
    );
    (scope as unknown as Web).put(
      '/v1/devices/:id/snapshots',
      {
        bodyLimit,
        schema: {
          tags: ['devices'],
          summary: 'Push a configuration that was collected elsewhere; also as text/plain with ?takenAt=',
          consumes: ['application/json', 'text/plain'],
          params: IdParams,
          querystring: Strict({ takenAt: Type.Optional(Time) }),
          body: Pushed,
          response: { 200: Outcome },
        },
        config: { right: 'snapshots:write', audit: 'snapshot.push' },
      },
      async (request) => {
        const device = found(await deviceById(services.postgres, request.params.id), 'device');
        const { body, query } = request;
        const takenAtMs = timeOf(body.takenAt ?? query.takenAt, services.now());
        const outcome = await store(device, body.text, takenAtMs, services);
        note(request, `snapshot/${outcome.snapshotId}`, { device: device.id, outcome: outcome.outcome });
        return outcome;
      },
    );
  });
}

function timeOf(text: string | undefined, now: number): number {
  if (text === undefined) return now;
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) throw problem(400, 'bad-time', 'takenAt is no time', 'takenAt');
  if (atMs > now + AHEAD_MS) throw problem(400, 'in-the-future', 'takenAt lies in the future', 'takenAt');
  return Math.min(atMs, now);
}

async function store(
  device: Device,
  text: string,
  takenAtMs: number,
  services: Services,
): Promise<Static<typeof Outcome>> {
  const { postgres, seal } = services;
  const definition = definitionOf(device.vendor);
  if (!definition) throw problem(409, 'unknown-vendor', `this version knows no vendor ${device.vendor}`);
  const previous = await latestSnapshot(postgres, device.id);
  const taken = takeStored(text, definition, seal.hash, previous?.text);
  if (!taken.complete)
    throw problem(
      400,
      'truncated',
      `the text lacks the end of a ${device.vendor} configuration; push it whole, as the device prints it`,
      'text',
    );
  checkReadable(taken.text, device.vendor);
  if (previous && takenAtMs < previous.confirmed_at.getTime())
    throw problem(
      409,
      'older-snapshot',
      `a snapshot of ${previous.confirmed_at.toISOString()} is stored; push in order of time`,
      'takenAt',
    );
  await recordSnapshot(device, { ...taken, beganAtMs: takenAtMs, durationMs: 0 }, services);
  await recordPullSuccess(postgres, device.id, new Date(takenAtMs));
  const latest = found(await latestSnapshot(postgres, device.id), 'snapshot');
  return {
    outcome: latest.id === previous?.id ? 'unchanged' : 'stored',
    snapshotId: latest.id,
    beganAt: latest.began_at.toISOString(),
    ruleCount: latest.rule_count,
    unreadCount: latest.unread.length,
  };
}

function checkReadable(text: string, vendor: string): void {
  try {
    readRules(text, vendor);
  } catch (error) {
    if (error instanceof PosternError) throw problem(400, error.code, error.message, 'text');
    throw error;
  }
}
