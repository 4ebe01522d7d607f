// two snapshots of a device and its events -> the change set between them
import { createHash } from 'node:crypto';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { diffRuleSets } from '../changes/diff.ts';
import type { AddressSet } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import type { RuleSet } from '../model/rule.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { readRules } from '../rules/read.ts';
import { actorEvidence } from '../snapshots/actors.ts';
import { historyEntries } from '../snapshots/history.ts';
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
  const { before, after, device } = input;
  const { ruleSet: rulesBefore } = readRules(before.text, input.vendor);
  const { definition, ruleSet } = readRules(after.text, input.vendor);
  const changes = diffRuleSets(rulesBefore, ruleSet, { internal: input.internal });
  return {
    device,
    ruleSet,
    changes: changes.map((change, index) => ({
      id: changeId(device.name, after.takenAtMs, `${change.kind}:${change.ruleKey}:${index}`),
      change,
    })),
    ...whoAndWhen({ ...input, definition }),
  };
}

/** Evidence about who changed the device between two snapshots, and when; events that come late tell more. */
export function whoAndWhen(
  input: Pick<DetectInput, 'device' | 'before' | 'after' | 'events' | 'ignoreUsers'> & {
    definition: DeviceDefinition;
  },
): Pick<ChangeSet, 'occurredBetween' | 'actors'> {
  const { before, after, device, events, definition } = input;
  const { timeZone } = device;
  const { text } = after;
  const history = historyEntries(after.history ?? '', definition, timeZone);
  return {
    occurredBetween: occurredBetween({
      previousTakenAtMs: before.takenAtMs,
      nextTakenAtMs: after.takenAtMs,
      events,
      definition,
      text,
      history,
      timeZone,
    }),
    actors: actorEvidence({
      events,
      definition,
      text,
      history,
      fromMs: before.takenAtMs,
      toMs: after.takenAtMs,
      ticketPattern: device.ticketPattern,
      timeZone,
      ignoreUsers: input.ignoreUsers,
    }),
  };
}

/** The same change of the same snapshot always has the same id, live and in replay. */
function changeId(device: string, takenAtMs: number, what: string): string {
  return `ch_${createHash('sha256').update(`${device}\n${takenAtMs}\n${what}`).digest('hex').slice(0, 20)}`;
}
