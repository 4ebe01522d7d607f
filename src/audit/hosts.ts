// recorded log lines and rulesets of hosts -> the questions that the service would have stored, in order of time
import { hostAnalytics, withOverrides } from '../analytics/index.ts';
import type { Event } from '../model/event.ts';
import type { Host, HostQuestion, RulesetState } from '../model/host.ts';
import { createHostOpener } from '../watches/host-open.ts';
import type { AuditSite } from './site.ts';

export interface OpenedHostQuestion {
  readonly openedAtMs: number;
  readonly question: HostQuestion;
}

export function siteHosts(site: AuditSite): Host[] {
  return (site.hosts ?? []).map((host) => ({
    name: host.name,
    platform: host.platform ?? 'linux',
    addresses: host.addresses ?? [],
    aliases: host.aliases ?? [],
    isDeveloper: host.isDeveloper ?? false,
    timeZone: host.timeZone ?? site.timeZone ?? 'UTC',
  }));
}

type SiteDevice = AuditSite['devices'][number];

/** A host is a device too where configurations of it are there: the same name, or an address of it. */
export const isSameMachine = (host: Host, device: Pick<SiteDevice, 'name' | 'addresses'>): boolean =>
  device.name === host.name || (device.addresses ?? []).some((address) => host.addresses.includes(address));

/** `events` carry their origin; `rulesets` are by host name, oldest first. */
export function hostQuestionsOf(
  site: AuditSite,
  hosts: readonly Host[],
  events: readonly Event[],
  rulesets: ReadonlyMap<string, readonly RulesetState[]>,
): { questions: OpenedHostQuestion[]; crowdedCount: number } {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const opener = createHostOpener(
    hostAnalytics.map((analytic) => ({
      analytic,
      parameters: withOverrides(analytic, site.parameters?.[analytic.id]),
    })),
  );
  const steps = [
    ...events.flatMap((event) => {
      const host = byName.get(event.origin ?? '');
      return host ? [{ atMs: event.receivedAtMs, open: () => opener.event(event, host) }] : [];
    }),
    ...hosts.flatMap((host) =>
      (rulesets.get(host.name) ?? []).flatMap((after, index, all) =>
        index === 0
          ? []
          : [
              {
                atMs: after.takenAtMs,
                open: () => opener.ruleset(all[index - 1], after, all.slice(0, index - 1), host),
              },
            ],
      ),
    ),
  ].sort((a, b) => a.atMs - b.atMs);
  const questions = steps.flatMap(({ atMs, open }) =>
    open().map((question) => ({ openedAtMs: atMs, question })),
  );
  return { questions, crowdedCount: opener.crowdedCount };
}
