// a question about a host at a time -> its alert, from what is stored by then
import type { ClickHouseClient } from '@clickhouse/client';
import { hostAnalyticOf, withOverrides } from '../analytics/index.ts';
import { addressSet } from '../model/addresses.ts';
import type { HostAlert } from '../model/alert.ts';
import type { Enrichment } from '../model/enrichment.ts';
import type { Event } from '../model/event.ts';
import type { RulesetState } from '../model/host.ts';
import { answerHostQuestion, nextHostAnswerAt } from '../watches/host-answer.ts';
import { gatherHostEvidence, type HostSite } from '../watches/host-evidence.ts';
import { clickHouseHostStore, type HostStore } from '../watches/host-store.ts';
import { siteFacts } from './evidence.ts';
import { recordedHostEvents } from './host-store.ts';
import { isSameMachine, type OpenedHostQuestion } from './hosts.ts';
import { type AuditSite, timeOf } from './site.ts';

const MINUTE_MS = 60_000;
const TIME_TELLS_MS = 5 * MINUTE_MS;

export interface HostAnswersInput {
  readonly site: AuditSite;
  readonly questions: readonly OpenedHostQuestion[];
  readonly events: readonly Event[];
  readonly rulesets: ReadonlyMap<string, readonly RulesetState[]>;
  /** Holds the flows. */
  readonly client: ClickHouseClient;
  /** Without captures there is nothing to ask of flows. */
  readonly hasFlows: boolean;
  readonly enrich: (address: string) => Enrichment;
  readonly onAlert: (alert: HostAlert) => void;
}

export interface HostAnswers {
  /** Resolves to the time of the next answer; undefined when the question is over. `datagramCount` is what was received by then. */
  answer(index: number, askedAtMs: number, datagramCount: number): Promise<number | undefined>;
  alertCount(): number;
}

const NO_FLOWS: Pick<HostStore, 'contacts' | 'destinations'> = {
  contacts: async () => ({ contacts: [], isCut: false }),
  destinations: async () => ({ destinations: [], isHeard: false }),
};

export function createHostAnswers(input: HostAnswersInput): HostAnswers {
  const { site, questions } = input;
  const alerts = new Map<number, HostAlert>();
  const asked = new Map<number, string>();
  const heard = heardByHost(input);
  const store: HostStore = {
    ...clickHouseHostStore(input.client),
    ...recordedHostEvents(
      input.events,
      questions.map(({ question }) => question.host),
    ),
    ...(input.hasFlows ? {} : NO_FLOWS),
  };
  const sites = new Map<string, HostSite>();
  return {
    alertCount: () => alerts.size,
    answer: async (index, askedAtMs, datagramCount) => {
      const { question, openedAtMs } = questions[index];
      const analytic = hostAnalyticOf(question.analytic);
      const { host } = question;
      const again = () => nextHostAnswerAt(openedAtMs, question, askedAtMs);
      // The same evidence would be judged again, but for what only time tells: that shows in the first minutes or at the end.
      const state = `${countUntil(heard.get(host.name) ?? [], askedAtMs)}:${datagramCount}`;
      const isEarly = askedAtMs - openedAtMs <= TIME_TELLS_MS && askedAtMs - openedAtMs >= MINUTE_MS;
      if (!isEarly && asked.get(index) === state && again() !== undefined) return again();
      asked.set(index, state);
      const parameters = withOverrides(analytic, site.parameters?.[analytic.id]);
      const own = sites.get(host.name) ?? hostSiteOf(input, host.name);
      sites.set(host.name, own);
      const evidence = await gatherHostEvidence(store, question, askedAtMs, {
        analytic,
        parameters,
        site: own,
      });
      const related = [...alerts]
        .filter(([other, alert]) => other !== index && alert.host === host.name)
        .map(([, alert]) => alert.id)
        .slice(-10);
      const { alert, nextAtMs } = answerHostQuestion({
        question,
        evidence,
        analytic,
        parameters,
        openedAtMs,
        previous: alerts.get(index),
        related,
      });
      if (alert) {
        alerts.set(index, alert);
        input.onAlert(alert);
      }
      return nextAtMs;
    },
  };
}

function hostSiteOf({ site, rulesets, enrich, questions }: HostAnswersInput, name: string): HostSite {
  const host = questions.find(({ question }) => question.host.name === name)!.question.host;
  const facts = siteFacts(site);
  const others = site.devices.filter((device) => !isSameMachine(host, device));
  return {
    internal: facts.internal,
    natAddresses: addressSet(...others.flatMap((device) => device.addresses ?? [])),
    approvedUses: (site.approvedUses ?? []).map((use, index) => ({
      id: `approvedUses[${index}]`,
      hosts: use.hosts ?? [],
      users: use.users ?? [],
      tools: use.tools ?? [],
      destinations: use.destinations ?? [],
      services: use.services ?? [],
      reason: use.reason ?? '',
      expiresMs: timeOf(use.expires),
    })),
    tickets: facts.tickets,
    enrich,
    rulesetsOf: async (_name, fromMs, untilMs) =>
      (rulesets.get(name) ?? []).filter(({ takenAtMs }) => takenAtMs >= fromMs && takenAtMs <= untilMs),
  };
}

/** Times of receipt of what a host's evidence is made of, in order. */
function heardByHost({ events, rulesets, questions }: HostAnswersInput): Map<string, number[]> {
  const heard = new Map<string, number[]>();
  const byAddress = new Map<string, string>();
  for (const { question } of questions) {
    if (heard.has(question.host.name)) continue;
    heard.set(
      question.host.name,
      (rulesets.get(question.host.name) ?? []).map(({ takenAtMs }) => takenAtMs),
    );
    for (const address of question.host.addresses) byAddress.set(address, question.host.name);
  }
  for (const event of events) {
    heard.get(event.origin ?? '')?.push(event.receivedAtMs);
    const other = byAddress.get(event.destinationAddress ?? '');
    if (other !== undefined && other !== event.origin) heard.get(other)?.push(event.receivedAtMs);
  }
  for (const times of heard.values()) times.sort((a, b) => a - b);
  return heard;
}

function countUntil(times: readonly number[], atMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
