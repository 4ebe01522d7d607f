// AN0843 Port Knocking on Linux (T1205.001): closed ports in a sequence, a firewall change or a new listener, a connection
import type { HostAnalytic, Triggered } from './definition.ts';
import { isServicePort, judgeKnock, type KnockParameters, knockParameters, knockTimes } from './knock.ts';
import { changeOf, type HostChange } from './knock-change.ts';

/** One burst is one question: a knock that starts a service, takes a port and opens the filter is one act, told once. */
export function triggerOf(change: HostChange | undefined): Triggered | undefined {
  if (!change || change.opening === 'closes') return undefined;
  return { kind: change.kind, key: 'way-in', detail: change.text };
}

/** What the analytics of both platforms say of themselves. */
export const knocking = {
  subject: 'host',
  strategy: 'DET0302',
  techniques: ['T1205.001'],
  dataComponents: ['DC0032', 'DC0078', 'DC0082'],
  needs: [
    {
      telemetry: 'process-log',
      why: 'who changed the filter, took a port or started a daemon',
      required: true,
    },
    {
      telemetry: 'firewall-log',
      why: 'the closed ports that were tried; flow export with refused attempts does as well',
      required: false,
    },
    { telemetry: 'flow-export', why: 'refused attempts, and the connection that succeeds', required: false },
    { telemetry: 'login-log', why: 'who logged in afterwards', required: false },
  ],
  mergedParameters: ['Weights', 'SeverityFrom'],
  asks: {
    events: ['firewall-changed', 'listen', 'service-started', 'login-accepted', 'command'],
    contacts: true,
    history: ['firewall-changed', 'listen', 'service-started'],
  },
  ...knockTimes,
} as const;

export const an0843: HostAnalytic<KnockParameters> = {
  ...knocking,
  id: 'AN0843',
  title: 'Closed-port sequence, then a firewall change or listener and a connection (Linux)',
  platforms: ['linux'],
  triggerKinds: ['firewall-changed', 'listen', 'service-started', 'command'],
  parameters: knockParameters,
  falsePositives: [
    'a port knocking daemon that is meant to be there: its changes count as usual once they recur (UsualCount, UsualDays), or name it in MgmtAllowList',
    'somebody who tries a few ports by hand and then asks an administrator to open one: approve the change by a ticket',
    'a short port scan moments before automation changes the filter: low, and silent once that change is usual here',
  ],
  blindSpots: [
    'a listener or rule that was there all along: without a change there is no question',
    'knocks slower than KnockTolerance, or of fewer ports than MinSequenceLen; a scan around the knock hides it unless the rule names the source',
    'a daemon that sniffs knocks and answers by itself, with neither rule nor new socket',
    'sampled flows alone: single packets to closed ports are mostly not exported',
    'where nobody tells of refused packets, only a rule that names one outside source, and its connection, is told (informational)',
  ],
  triggeredBy: (event, _host, p) => triggerOf(changeOf(event, isServicePort(p))),
  judge: (question, evidence, p) =>
    judgeKnock(question, evidence, p, {
      read: (event) => changeOf(event, isServicePort(p)),
      weigh: () => ({ reasons: [] }),
    }),
};
