// AN0844 Port Knocking on macOS (T1205.001): closed ports in a sequence, PF or the application firewall changes, a connection
import { type Event, happenedAt } from '../model/event.ts';
import type { Severity } from '../model/watch.ts';
import { knocking, triggerOf } from './an0843.ts';
import type { HostAnalytic } from './definition.ts';
import { simpleCommands } from './firewall-command.ts';
import {
  type Candidate,
  isServicePort,
  judgeKnock,
  type KnockParameters,
  knockParameters,
  type Platform,
} from './knock.ts';
import { changeOf, type HostChange } from './knock-change.ts';

export interface An0844Parameters extends KnockParameters {
  /** PF's files; a trailing "*" stands for any name. */
  readonly PFAnchorPaths: readonly string[];
  /** Hosts registered as a developer's are expected to test their filter. */
  readonly DevMode: boolean;
}

const WRITERS = /^(?:tee|cp|mv|install|ditto|sed|ln|dd|rsync)$/;

export const an0844: HostAnalytic<An0844Parameters> = {
  ...knocking,
  id: 'AN0844',
  title:
    'Closed-port sequence, then a PF or application firewall change or listener and a connection (macOS)',
  platforms: ['macos'],
  triggerKinds: ['firewall-changed', 'listen', 'service-started', 'command'],
  parameters: {
    ...knockParameters,
    PFAnchorPaths: ['/etc/pf.conf', '/private/etc/pf.conf', '/etc/pf.anchors/*', '/private/etc/pf.anchors/*'],
    DevMode: true,
  },
  falsePositives: [
    'developers who test PF anchors: register the host as a developer (DevMode)',
    'remote login that is switched on by its owner after colleagues tried a few ports',
  ],
  blindSpots: [
    'macOS tells of connections and of ports that are taken only through osquery, flows or Zeek',
    'stealth-mode lines need the application firewall, and its log is deprecated from macOS 15',
    'which addresses an anchor lets in is not told where its rules come from a file',
    'knocks slower than KnockTolerance, or of fewer ports than MinSequenceLen',
  ],
  triggeredBy: (event, _host, p) => triggerOf(readOn(p)(event)),
  judge: (question, evidence, p) => judgeKnock(question, evidence, p, { read: readOn(p), weigh: weighOn(p) }),
};

/** A file of PF's that is written is a change too: its rules are loaded then, or at the next start. */
const readOn =
  (p: An0844Parameters) =>
  (event: Event): HostChange | undefined => {
    const change = changeOf(event, isServicePort(p));
    if (change || event.kind !== 'command') return change;
    if (!writesAnchor(event.arguments ?? event.command ?? '', p.PFAnchorPaths)) return undefined;
    const text = (event.command ?? event.arguments?.join(' ') ?? '').slice(0, 300);
    const none = { commands: [], ports: [], sources: [] };
    return { kind: 'firewall-change', atMs: happenedAt(event), opening: 'may-open', event, text, ...none };
  };

const weighOn =
  (p: An0844Parameters): Platform['weigh'] =>
  (candidate, { host }) => {
    const isTest = p.DevMode && host.isDeveloper && candidate.change.kind === 'firewall-change';
    const elsewhere = loadedFrom(candidate, p.PFAnchorPaths);
    const reasons = [
      ...(isTest
        ? [{ reason: 'a developer host tests its filter (DevMode)', weight: p.Weights.developer }]
        : []),
      ...(elsewhere
        ? [
            {
              reason: `PF loads ${elsewhere}, which is not in PFAnchorPaths`,
              weight: p.Weights.outsideAnchors,
            },
          ]
        : []),
    ];
    const atMost: Severity | undefined = isTest ? 'informational' : undefined;
    return { reasons, atMost };
  };

function loadedFrom({ change }: Candidate, paths: readonly string[]): string | undefined {
  const load = change.commands.find(({ tool, effect }) => tool === 'pfctl' && effect === 'loads-file');
  if (!load || isListed(load.file ?? '-', paths)) return undefined;
  return load.file === undefined || load.file === '-' ? 'rules from its standard input' : load.file;
}

const isListed = (file: string, paths: readonly string[]): boolean =>
  paths.some((path) => (path.endsWith('*') ? file.startsWith(path.slice(0, -1)) : file === path));

function writesAnchor(command: string | readonly string[], paths: readonly string[]): boolean {
  const text = typeof command === 'string' ? command : command.join(' ');
  if (!paths.some((path) => text.includes(path.replace(/\*$/, '')))) return false;
  return simpleCommands(command).some(
    ({ name, args, redirections }) =>
      redirections.some((one) => /^\d?>/.test(one) && isListed(one.replace(/^\d?>{1,2}\|?/, ''), paths)) ||
      (WRITERS.test(name) && args.some((word) => isListed(word, paths))),
  );
}
