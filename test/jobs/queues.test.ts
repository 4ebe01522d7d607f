import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { Type } from 'typebox';
import { type Backend, openPostgresBackend, openRedisBackend } from '../../jobs/backend.ts';
import { defineJob, type JobDefinition } from '../../jobs/definition.ts';
import { type AnyJob, checkJobs, jobs } from '../../jobs/index.ts';
import { jobQueues, jobWorkers } from '../../jobs/plugin.ts';
import { openQueues } from '../../jobs/queues.ts';
import { startWorkers } from '../../jobs/workers.ts';
import type { Services } from '../../src/services.ts';
import { openPostgres, type Postgres } from '../../src/store/postgres/open.ts';
import { postgresOwner } from '../../src/store/postgres/user.ts';
import { temporaryFolder } from '../store/temporary.ts';

const silent = { info() {}, warn() {}, error() {}, debug() {} };
const cleanups: (() => unknown)[] = [];
let postgres: Postgres;

before(async () => {
  const folder = temporaryFolder({ after: (run) => cleanups.push(run) });
  postgres = await openPostgres({ folder, owner: postgresOwner(folder) });
});

after(async () => {
  await postgres.close();
  for (const cleanup of cleanups) await cleanup();
});

const payload = Type.Object({ id: Type.String() });

function job(
  name: string,
  run: JobDefinition<typeof payload>['run'],
  more: Partial<JobDefinition<typeof payload>> = {},
): AnyJob {
  return defineJob({
    name,
    payload,
    attempts: 1,
    backoffMs: 20,
    timeoutMs: 5000,
    concurrency: () => 2,
    dedupeKey: ({ id }) => id,
    run,
    ...more,
  });
}

async function open(t: { after: (run: () => unknown) => void }, definitions: AnyJob[]) {
  const backend: Backend = await openPostgresBackend(postgres.connection, definitions.length);
  const queues = openQueues(backend, definitions, silent);
  const services = { log: silent, jobs: queues, now: Date.now } as unknown as Services;
  const workers = startWorkers(backend, definitions, services);
  t.after(async () => {
    await workers.stop(500);
    await queues.close();
    await backend.close();
  });
  return { queues, workers };
}

async function until(condition: () => boolean, limitMs = 5000): Promise<void> {
  const endAt = performance.now() + limitMs;
  while (!condition()) {
    assert.ok(performance.now() < endAt, 'waited too long');
    await sleep(10);
  }
}

test('a job runs, after its delay where it has one', async (t) => {
  const ran: string[] = [];
  const { queues } = await open(t, [job('run-once', async ({ id }) => void ran.push(id))]);
  await queues.add('run-once', { id: 'late' }, { delayMs: 200 });
  await queues.add('run-once', { id: 'soon' });
  await until(() => ran.length === 2);
  assert.deepEqual(ran, ['soon', 'late']);
  const counts = await queues.counts();
  assert.equal(counts['run-once'].waiting + counts['run-once'].delayed, 0);
});

test('jobs with one key that wait are one job; one that runs already does not count', async (t) => {
  const ran: string[] = [];
  let release = () => {};
  const held = new Promise<void>((settle) => {
    release = settle;
  });
  let running = 0;
  let most = 0;
  const run = async ({ id }: { id: string }) => {
    ran.push(id);
    running += 1;
    most = Math.max(most, running);
    if (ran.length === 1) await held;
    running -= 1;
  };
  const { queues } = await open(t, [job('one-at-a-time', run, { dedupeKey: () => 'same' })]);
  await queues.add('one-at-a-time', { id: 'first' });
  await until(() => ran.length === 1);
  for (const id of ['second', 'third', 'fourth']) await queues.add('one-at-a-time', { id });
  await sleep(100);
  assert.deepEqual(ran, ['first']);
  release();
  await until(() => ran.length === 2);
  await sleep(100);
  assert.deepEqual(ran, ['first', 'fourth']);
  assert.equal(most, 1);
});

test('a job may add itself again for later', async (t) => {
  const ran: string[] = [];
  const box: { queues?: Awaited<ReturnType<typeof open>>['queues'] } = {};
  const run = async ({ id }: { id: string }) => {
    ran.push(id);
    if (ran.length < 3) await box.queues!.add('again', { id }, { delayMs: 50 });
  };
  box.queues = (await open(t, [job('again', run)])).queues;
  await box.queues.add('again', { id: 'x' });
  await until(() => ran.length === 3);
  await sleep(150);
  assert.equal(ran.length, 3);
});

test('a failed job is tried again as often as it says', async (t) => {
  let tries = 0;
  const fail = async () => {
    tries += 1;
    throw new Error('not yet');
  };
  const { queues } = await open(t, [job('keeps-failing', fail, { attempts: 3 })]);
  await queues.add('keeps-failing', { id: 'x' });
  await until(() => tries === 3);
  await sleep(200);
  assert.equal(tries, 3);
  assert.equal((await queues.counts())['keeps-failing'].failed, 1);
});

test('a job that takes too long is aborted and gives up its place', async (t) => {
  let reason: unknown;
  const hang = (_payload: unknown, _services: unknown, signal: AbortSignal) => {
    signal.addEventListener('abort', () => {
      reason = signal.reason;
    });
    return new Promise<void>(() => {});
  };
  const { queues } = await open(t, [job('hangs', hang, { timeoutMs: 50 })]);
  await queues.add('hangs', { id: 'x' });
  await until(() => reason !== undefined);
  assert.equal((reason as { code: string }).code, 'job-timeout');
  await sleep(100);
  assert.equal((await queues.counts()).hangs.failed, 1);
});

test('a job that repeats runs again and again until it is stopped', async (t) => {
  let count = 0;
  const run = async () => {
    count += 1;
  };
  const { queues } = await open(t, [job('repeats', run)]);
  await queues.every('repeats', 'mine', { id: 'x' }, 100);
  await until(() => count >= 3);
  await queues.every('repeats', 'mine', { id: 'x' }, null);
  await sleep(150);
  const stopped = count;
  await sleep(300);
  assert.equal(count, stopped);
});

test('a job on a long schedule runs at each start, for what fell due meanwhile', async (t) => {
  let count = 0;
  const run = async () => void count++;
  const hourly = job('hourly', run, {
    payload: Type.Object({}) as never,
    dedupeKey: () => 'one',
    everyMs: () => 3_600_000,
  });
  for (const start of [1, 2]) {
    const app = fastify();
    app.decorate('services', {
      settings: { POSTERN_ROLES: ['work'] },
      log: silent,
      now: Date.now,
      postgresConnection: postgres.connection,
    } as unknown as Services);
    await app.register(fastifyPlugin(async () => {}, { name: 'store' }));
    await app.register(jobQueues, { jobs: [hourly] });
    await app.register(jobWorkers);
    t.after(() => app.close());
    const before = count;
    await app.ready();
    await until(() => count > before);
    await app.close();
    assert.ok(count >= start);
  }
});

test('a job that is cut short by a stop runs again after the next start', async (t) => {
  let started = 0;
  const hang = () => {
    started += 1;
    return started === 1 ? new Promise<void>(() => {}) : Promise.resolve();
  };
  const definitions = [job('cut-short', hang)];
  const first = await open(t, definitions);
  await first.queues.add('cut-short', { id: 'x' });
  await until(() => started === 1);
  await first.workers.stop(50);
  assert.equal((await first.queues.counts())['cut-short'].failed, 0);
  await open(t, definitions);
  await until(() => started === 2);
});

test('a payload that the definition does not allow and a job that nobody runs are refused', async (t) => {
  const { queues } = await open(t, [job('strict', async () => {})]);
  await assert.rejects(queues.add('strict', { id: 5 }), { code: 'bad-payload' });
  await assert.rejects(queues.add('nobody', { id: 'x' }), { code: 'unknown-job' });
  await assert.rejects(queues.every('nobody', 's', {}, 1000), { code: 'unknown-job' });
});

test('definitions that cannot work are refused', () => {
  const fine = job('fine', async () => {});
  checkJobs([fine]);
  assert.throws(() => checkJobs([fine, fine]), { code: 'bad-job', message: /twice/ });
  assert.throws(() => checkJobs([{ ...fine, name: 'Not Kebab' }]), { code: 'bad-job' });
  assert.throws(() => checkJobs([{ ...fine, attempts: 0 }]), { code: 'bad-job' });
  checkJobs(jobs);
});

test('Redis that cannot be used is named in one line', async () => {
  await assert.rejects(openRedisBackend('redis://:secret@127.0.0.1:1'), (error: Error & { code: string }) => {
    assert.equal(error.code, 'redis-unreachable');
    assert.ok(!/secret|\n/.test(error.message));
    return true;
  });
});
