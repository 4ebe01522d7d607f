// events and pulled rulesets of hosts -> stored questions with the time of their first answer
import type { Kysely, Transaction } from 'kysely';
import { hostAnalytics } from '../analytics/index.ts';
import { type Event, happenedAt } from '../model/event.ts';
import type { HostQuestion, RulesetState } from '../model/host.ts';
import type { Services } from '../services.ts';
import { hostTriggersSince, insertHostWatch } from '../store/postgres/host-watches.ts';
import { allHosts, type StoredHost } from '../store/postgres/hosts.ts';
import type { Database } from '../store/postgres/schema.ts';
import { nextHostAnswerAt } from './host-answer.ts';
import { createHostOpener, type HostOpener, type Judged } from './host-open.ts';

type Postgres = Kysely<Database> | Transaction<Database>;

/** A question that was just stored, and when its first answer is due. */
export interface DueQuestion {
  readonly watchId: string;
  readonly atMs: number;
}

/** Of the opener's own bound on questions within an hour. */
const HOUR_MS = 3_600_000;

export const judgedBy = (services: Pick<Services, 'parametersOf'>): Judged[] =>
  hostAnalytics.map((analytic) => ({ analytic, parameters: services.parametersOf(analytic) }));

/** The same events again open nothing new. */
export async function recordHostEvents(events: readonly Event[], services: Services): Promise<DueQuestion[]> {
  const { postgres, log } = services;
  const hosts = new Map((await allHosts(postgres)).map((host) => [host.name, host]));
  const own = events.filter((event) => event.origin !== undefined && hosts.has(event.origin));
  if (own.length === 0) return [];
  const earliestMs = own.reduce(
    (least, event) => Math.min(least, happenedAt(event)),
    Number.POSITIVE_INFINITY,
  );
  const opener = await openerSince(postgres, earliestMs, hosts, services);
  const due: DueQuestion[] = [];
  for (const event of own) {
    const host = hosts.get(event.origin!)!;
    for (const question of opener.event(event, host))
      due.push(...(await store(postgres, host, question, services)));
  }
  if (opener.crowdedCount > 0)
    log.warn(
      { triggers: opener.crowdedCount },
      'hosts with too many triggers within an hour: the rest is left out',
    );
  return due;
}

/** `history`: what was pulled before `before`, oldest first. */
export async function recordRuleset(
  postgres: Postgres,
  host: StoredHost,
  before: RulesetState,
  after: RulesetState,
  history: readonly RulesetState[],
  services: Services,
): Promise<DueQuestion[]> {
  const opener = await openerSince(postgres, after.takenAtMs, new Map([[host.name, host]]), services);
  const due: DueQuestion[] = [];
  for (const question of opener.ruleset(before, after, history, host))
    due.push(...(await store(postgres, host, question, services)));
  return due;
}

async function openerSince(
  postgres: Postgres,
  earliestMs: number,
  hosts: ReadonlyMap<string, StoredHost>,
  services: Services,
): Promise<HostOpener> {
  const judged = judgedBy(services);
  const longestJoinMs = Math.max(
    HOUR_MS,
    ...judged.map(({ analytic, parameters }) => analytic.joinMs(parameters)),
  );
  const names = new Map([...hosts.values()].map(({ id, name }) => [id, name]));
  const earlier = await hostTriggersSince(postgres, earliestMs - longestJoinMs);
  return createHostOpener(
    judged,
    earlier.flatMap(({ hostId, ...trigger }) => {
      const host = names.get(hostId);
      return host === undefined ? [] : [{ host, ...trigger }];
    }),
  );
}

async function store(
  postgres: Postgres,
  host: StoredHost,
  question: HostQuestion,
  services: Services,
): Promise<DueQuestion[]> {
  const nowMs = services.now();
  const atMs = nextHostAnswerAt(nowMs, question, nowMs) ?? nowMs;
  const { id, ...asked } = host;
  const watchId = await insertHostWatch(postgres, id, { ...question, host: asked }, nowMs, atMs);
  return watchId === undefined ? [] : [{ watchId, atMs }];
}
