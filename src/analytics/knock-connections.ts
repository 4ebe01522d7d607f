// what reached a service of a host after a change: logins, what a filter let in, flows with packets both ways
import { type AddressSet, hasAddress, parseAddress } from '../model/addresses.ts';
import { happenedAt } from '../model/event.ts';
import type { HostEvidence } from '../model/host.ts';
import type { KnockParameters } from './knock.ts';
import { type HostChange, opensPort } from './knock-change.ts';

export interface Connection {
  readonly atMs: number;
  readonly source: string;
  readonly port?: number;
  readonly isLogin: boolean;
  readonly isInternal: boolean;
  /** Who logged in. */
  readonly user?: string;
  /** The same source reached the port before the change. */
  readonly wasOpen: boolean;
  /** Others reached the port before the change. */
  readonly wasOpenToOthers: boolean;
  /** The source was refused at this port before the change. */
  readonly wasRefused: boolean;
  readonly from: string;
  readonly raw: string;
}

const REACHED: ReadonlySet<string> = new Set(['accepted', 'established']);
const SSH = 22;

/** In order of time. */
export function connectionsAfter(
  change: HostChange,
  evidence: HostEvidence,
  p: KnockParameters,
  isServicePort: (port: number) => boolean,
): Connection[] {
  const fromMs = change.atMs - p.OrderSlack * 1000;
  const untilMs = change.atMs + p.TimeWindow * 1000;
  const isDuring = (atMs: number) => atMs >= fromMs && atMs <= untilMs;
  const logins = evidence.events.filter(
    ({ kind, sourceAddress }) => kind === 'login-accepted' && sourceAddress,
  );
  const earlier = [
    ...evidence.contacts.filter(({ atMs, outcome }) => atMs < fromMs && REACHED.has(outcome)),
    ...logins
      .filter((event) => happenedAt(event) < fromMs)
      .map((event) => ({ source: event.sourceAddress ?? '', port: SSH, protocol: 'tcp' })),
  ];
  const keyOf = (source: string, port: number | undefined) => `${source} ${port}`;
  const known = new Set(earlier.map(({ source, port }) => keyOf(source, port)));
  const refused = new Set(
    evidence.contacts
      .filter(({ atMs, outcome }) => atMs <= change.atMs && !REACHED.has(outcome))
      .map(({ source, port }) => keyOf(source, port)),
  );
  /** Two are enough to know of another. */
  const sourcesOf = new Map<number | undefined, Set<string>>();
  for (const { source, port } of earlier) {
    const sources = sourcesOf.get(port) ?? new Set();
    if (sources.size < 2) sourcesOf.set(port, sources.add(source));
  }
  const about = (source: string, port: number | undefined) => ({
    wasOpen: known.has(keyOf(source, port)),
    wasOpenToOthers: [...(sourcesOf.get(port) ?? [])].some((one) => one !== source),
    wasRefused: refused.has(keyOf(source, port)),
    isInternal: contains(evidence.internal, source),
  });
  const reached = evidence.contacts.flatMap((contact): Connection[] => {
    const { atMs, source, port, outcome, raw, seenBy } = contact;
    if (!isDuring(atMs) || !REACHED.has(outcome) || port === undefined) return [];
    if (!isServicePort(port) && !opensPort(change, port)) return [];
    const from = { 'host-log': 'packet filter', 'device-log': 'firewall', flow: 'flows', zeek: 'Zeek' }[
      seenBy
    ];
    return [{ atMs, source, port, isLogin: false, from, raw, ...about(source, port) }];
  });
  const bySource = new Map<string, Connection>();
  for (const one of reached) if (!bySource.has(one.source)) bySource.set(one.source, one);
  const entered = logins.flatMap((event): Connection[] => {
    const atMs = happenedAt(event);
    const source = event.sourceAddress ?? '';
    if (!isDuring(atMs)) return [];
    const seen = bySource.get(source);
    const port = seen?.port ?? SSH;
    const from = event.program ?? 'login';
    return [
      { atMs, source, port, isLogin: true, user: event.user, from, raw: event.raw, ...about(source, port) },
    ];
  });
  // The first of each source and port says it.
  const told = new Set<string>();
  return [...reached, ...entered]
    .sort((a, b) => a.atMs - b.atMs)
    .filter(({ source, port, isLogin }) => {
      const key = `${keyOf(source, port)} ${isLogin}`;
      return !told.has(key) && told.add(key);
    });
}

export function contains(set: AddressSet, text: string): boolean {
  try {
    return hasAddress(set, parseAddress(text));
  } catch {
    return false;
  }
}
