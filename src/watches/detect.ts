// two snapshots of a device and its events -> the change set between them
import { createHash } from 'node:crypto';
import { diffRuleSets } from '../changes/diff.ts';
import type { AddressSet } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import type { RuleSet } from '../model/rule.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { readRules } from '../rules/read.ts';
import { actorEvidence } from '../snapshots/actors.ts';
import { occurredBetween } from '../snapshots/occurred.ts';
import type { ChangeSet, WatchedDevice } from './open.ts';

export interface DetectInput {
  readonly device: WatchedDevice;
  readonly vendor: string;
  /** The last pull that saw the configuration of `before`. */
  readonly before: Snapshot;
  readonly after: Snapshot;
  /** Events of the device between the two, in any order. */
  readonly events: readonly Event[];
  readonly internal: AddressSet;
  /** Accounts that only look: Postern's own on this device. */
  readonly ignoreUsers?: readonly string[];
}

export function detectChanges(input: DetectInput): ChangeSet & { ruleSet: RuleSet } {
  const { before, after, device, events } = input;
  const { ruleSet: rulesBefore } = readRules(before.text, input.vendor);
  const { definition, ruleSet } = readRules(after.text, input.vendor);
  const changes = diffRuleSets(rulesBefore, ruleSet, { internal: input.internal });
  const occurred = occurredBetween({
    previousTakenAtMs: before.takenAtMs,
    nextTakenAtMs: after.takenAtMs,
    events,
    definition,
    text: after.text,
    timeZone: device.timeZone,
  });
  const actors = actorEvidence({
    events,
    definition,
    text: after.text,
    fromMs: before.takenAtMs,
    toMs: after.takenAtMs,
    ticketPattern: device.ticketPattern,
    timeZone: device.timeZone,
    ignoreUsers: input.ignoreUsers,
  });
  return {
    device,
    ruleSet,
    changes: changes.map((change, index) => ({
      id: changeId(device.name, after.takenAtMs, `${change.kind}:${change.ruleKey}:${index}`),
      change,
    })),
    occurredBetween: occurred,
    actors,
  };
}

/** The same change of the same snapshot always has the same id, live and in replay. */
function changeId(device: string, takenAtMs: number, what: string): string {
  return `ch_${createHash('sha256').update(`${device}\n${takenAtMs}\n${what}`).digest('hex').slice(0, 20)}`;
}
