// what a scenario on a host is: who it is played on, what is done, and what Postern should say of it
import { SEVERITIES, type Severity } from '../../src/model/watch.ts';
import type { HostPlan, HostSite, LabHost } from './hosts.ts';
import type { Network } from './network.ts';
import type { Postern } from './postern.ts';
import { run } from './processes.ts';

export interface HostStage {
  readonly network: Network;
  readonly site: HostSite;
  readonly postern: Postern;
}

export interface HostScenario {
  /** For people, in the table of results. */
  readonly title: string;
  readonly analytic: 'AN0843' | 'AN0407' | 'AN1230';
  /** Severity of the highest alert: at least this of this analytic; undefined where silence is right. */
  readonly atLeast?: Severity;
  /** And at most this, of any analytic. */
  readonly atMost: Severity;
  readonly host: HostPlan;
  /** Before the baseline is taken. */
  readonly prepare?: (stage: HostStage, host: LabHost) => Promise<void>;
  /** Ends with the deed that completes it. */
  readonly act: (stage: HostStage, host: LabHost) => Promise<void>;
  /** Proof that it really happened, for people; throws where it did not. */
  readonly proof: (stage: HostStage, host: LabHost) => Promise<string>;
}

export const isAtLeast = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);

/** A command of the attacker's, whose address is the host's own attacker. Its failure is told, not thrown. */
export async function outside({ site }: HostStage, command: readonly string[]): Promise<string> {
  return run(command, { netns: site.internet, timeoutMs: 60_000 }).catch(
    (error) => `failed: ${error.message}`,
  );
}

export const knock = (stage: HostStage, { address }: LabHost, ports: readonly string[], everyMs = 300) =>
  outside(stage, ['knock', '-d', String(everyMs), address, ...ports]);

/** alice's key is everybody's here. */
export const sshTo = ({ site }: HostStage, address: string, ...options: readonly string[]): string[] => [
  ...['ssh', '-F', '/dev/null', '-i', site.key, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
  ...options,
  `alice@${address}`,
  'echo logged in',
];
