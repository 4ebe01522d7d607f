// an open watch -> its facts as they are known now: late log lines and late paperwork count
import { definitionOf } from '../../devices/index.ts';
import { encodeJson } from '../model/json.ts';
import type { ChangeFacts } from '../model/watch.ts';
import type { Services } from '../services.ts';
import { actorsOf } from '../snapshots/actors.ts';
import { type Device, deviceById } from '../store/postgres/devices.ts';
import { changeOf, ruleChangeById, ruleChangesInto, setWhoAndWhen } from '../store/postgres/rule-changes.ts';
import { asSnapshot, snapshotById } from '../store/postgres/snapshots.ts';
import { approvedForwards, ticketsAround } from '../store/postgres/tickets.ts';
import type { Watch } from '../store/postgres/watches.ts';
import { whoAndWhen } from './detect.ts';
import { paperwork } from './open.ts';
import { eventsAround, watchedDevice } from './record.ts';
import { internalAddresses } from './site.ts';

/** Log lines that come later than this after the watch was opened are not waited for. */
const LATE_LINES_MS = 600_000;

export async function currentFacts(watch: Watch, services: Services): Promise<ChangeFacts> {
  const { postgres, settings } = services;
  const device = await deviceById(postgres, watch.deviceId);
  const seen =
    device && services.now() - watch.openedAtMs < LATE_LINES_MS
      ? await lateLines(watch, device, services)
      : watch.facts;
  const site = {
    internal: await internalAddresses(postgres, settings),
    tickets: await ticketsAround(postgres, seen.occurredBetween.toMs),
    approvedForwards: await approvedForwards(postgres),
  };
  return { ...seen, ...paperwork(seen, site, device?.ticket_pattern ?? undefined) };
}

/** Asks the events again; where they tell more than before, the stored change and watch learn it too. */
async function lateLines(watch: Watch, device: Device, services: Services): Promise<ChangeFacts> {
  const { postgres } = services;
  const definition = definitionOf(device.vendor);
  const change = await ruleChangeById(postgres, watch.changeId);
  const [previous, next] = change
    ? await Promise.all([
        snapshotById(postgres, change.snapshot_before),
        snapshotById(postgres, change.snapshot_after),
      ])
    : [];
  if (!definition || !previous || !next) return watch.facts;
  const after = asSnapshot(next, device.name, false);
  const before = asSnapshot(previous, device.name, true);
  const events = await eventsAround(device, before, after, services.clickhouse);
  const { actors, occurredBetween } = whoAndWhen({
    device: watchedDevice(device),
    definition,
    before,
    after,
    events,
    ignoreUsers: [device.username],
  });
  const own = actorsOf(actors, watch.facts.change, occurredBetween);
  if (own.length <= watch.facts.actors.length) return watch.facts;
  const facts = { ...watch.facts, actors: own, occurredBetween };
  for (const row of await ruleChangesInto(postgres, next.id))
    await setWhoAndWhen(postgres, row.id, actorsOf(actors, changeOf(row), occurredBetween), occurredBetween);
  await postgres
    .updateTable('watches')
    .set({ facts: encodeJson(facts) })
    .where('id', '=', watch.id)
    .execute();
  return facts;
}
