// a watch and its evidence -> the alert to write, if any, and when to ask again

import { writeAlert } from '../alerts/write.ts';
import type { ChangeAnalytic, Parameters } from '../analytics/definition.ts';
import type { DeviceAlert } from '../model/alert.ts';
import type { ChangeFacts, Evidence, Question } from '../model/watch.ts';
import { nextAnswerAt } from './schedule.ts';

export interface AnswerInput {
  readonly question: Question;
  readonly facts: ChangeFacts;
  readonly evidence: Evidence;
  readonly analytic: ChangeAnalytic;
  readonly parameters: Parameters;
  readonly openedAtMs: number;
  readonly previous?: DeviceAlert;
  readonly related: readonly string[];
  readonly baseUrl?: string;
}

export interface Answer {
  /** A new alert or a new revision; undefined where there is nothing new to say. */
  readonly alert?: DeviceAlert;
  /** Undefined when the watch is over. */
  readonly nextAtMs?: number;
}

export function answerWatch(input: AnswerInput): Answer {
  const { question, facts, evidence, analytic, parameters, openedAtMs, previous, related, baseUrl } = input;
  const verdict = analytic.judge(facts, question, evidence, parameters);
  const alert = writeAlert(
    verdict,
    {
      facts,
      evidence,
      analytic,
      parameters,
      openedAtMs: previous ? openedAtMs : evidence.askedAtMs,
      related,
      baseUrl,
    },
    previous,
  );
  return { alert, nextAtMs: nextAnswerAt(openedAtMs, question.untilMs, evidence.askedAtMs) };
}
