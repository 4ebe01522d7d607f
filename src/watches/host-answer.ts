// a question about a host and its evidence -> the alert to write, if any, and when to ask again
import { writeHostAlert } from '../alerts/write-host.ts';
import type { HostAnalytic, Parameters } from '../analytics/definition.ts';
import type { HostAlert } from '../model/alert.ts';
import type { HostEvidence, HostQuestion } from '../model/host.ts';

export interface HostAnswerInput {
  readonly question: HostQuestion;
  readonly evidence: HostEvidence;
  readonly analytic: HostAnalytic;
  readonly parameters: Parameters;
  readonly openedAtMs: number;
  readonly previous?: HostAlert;
  readonly related: readonly string[];
  readonly baseUrl?: string;
}

export interface HostAnswer {
  /** A new alert or a new revision; undefined where there is nothing new to say. */
  readonly alert?: HostAlert;
  /** Undefined when the question is over. */
  readonly nextAtMs?: number;
}

/** Lines and flows of the last moment are still on their way when a question's time is over. */
const TRANSIT_MS = 90_000;
const SECOND = 1000;
/** Delays after the question was opened; then at its end. */
const DELAYS_MS = [5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600, 1800, 3600, 7200].map(
  (delay) => delay * SECOND,
);

/** The first answer time after `nowMs`; undefined when the question is over. */
export function nextHostAnswerAt(
  openedAtMs: number,
  question: Pick<HostQuestion, 'untilMs'>,
  nowMs: number,
): number | undefined {
  const endMs = Math.max(question.untilMs + TRANSIT_MS, openedAtMs + DELAYS_MS[0]);
  if (nowMs >= endMs) return undefined;
  const next = DELAYS_MS.map((delay) => openedAtMs + delay).find((at) => at > nowMs);
  return Math.min(next ?? endMs, endMs);
}

export function answerHostQuestion(input: HostAnswerInput): HostAnswer {
  const { question, evidence, analytic, parameters, openedAtMs, previous, related, baseUrl } = input;
  const verdict = analytic.judge(question, evidence, parameters);
  const alert = writeHostAlert(
    verdict,
    {
      question,
      analytic,
      parameters,
      openedAtMs: previous ? openedAtMs : evidence.askedAtMs,
      related,
      baseUrl,
    },
    previous,
  );
  if (verdict.isSettled) return { alert };
  return { alert, nextAtMs: nextHostAnswerAt(openedAtMs, question, evidence.askedAtMs) };
}
