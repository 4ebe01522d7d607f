// the jobs, one line each
import { PosternError } from '../src/model/errors.ts';
import { answerHostJob } from './answer-host.ts';
import { answerWatchJob } from './answer-watch.ts';
import type { JobDefinition } from './definition.ts';
import { deliverAlertJob } from './deliver-alert.ts';
import { findDuplicatesJob } from './find-duplicates.ts';
import { pullDeviceJob } from './pull-device.ts';
import { refreshEnrichmentJob } from './refresh-enrichment.ts';
import { rollUpFlowsJob } from './roll-up-flows.ts';
import { scanHostsJob } from './scan-hosts.ts';
import { sweepOverdueJob } from './sweep-overdue.ts';

/** Definitions of all payloads together; each checks its own. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is known to its definition only
export type AnyJob = JobDefinition<any>;

export const jobs: readonly AnyJob[] = [
  pullDeviceJob,
  answerWatchJob,
  scanHostsJob,
  answerHostJob,
  deliverAlertJob,
  sweepOverdueJob,
  refreshEnrichmentJob,
  rollUpFlowsJob,
  findDuplicatesJob,
];

/** Throws PosternError 'bad-job' where a definition cannot work or two have one name. */
export function checkJobs(definitions: readonly AnyJob[]): void {
  const seen = new Set<string>();
  for (const { name, attempts, backoffMs, timeoutMs } of definitions) {
    const fault = seen.has(name)
      ? 'is defined twice'
      : !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)
        ? 'has a name that is not in kebab-case'
        : !(Number.isInteger(attempts) && attempts >= 1)
          ? 'is never tried'
          : !(backoffMs >= 0 && timeoutMs > 0)
            ? 'has no time to run in'
            : undefined;
    if (fault) throw new PosternError('bad-job', `the job ${name} ${fault}`, { subject: name });
    seen.add(name);
  }
}
