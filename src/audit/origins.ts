// recorded events -> the same with the host or device that each is from, and by whose clock it tells its time
import { compileOrigins } from '../events/origin.ts';
import { createSources } from '../events/sources.ts';
import type { Event } from '../model/event.ts';
import type { Host } from '../model/host.ts';
import type { AuditSite } from './site.ts';

/** In order of receipt, as the receiver would have seen them. */
export function attributed(events: readonly Event[], site: AuditSite, hosts: readonly Host[]): Event[] {
  const devices = site.devices.map(({ name, addresses = [], exporters = [] }) => ({
    name,
    addresses: [...addresses, ...exporters],
  }));
  const sources = createSources(compileOrigins(hosts, devices));
  return [...events]
    .sort((a, b) => a.receivedAtMs - b.receivedAtMs)
    .map((event) => ({ ...event, ...sources.line(event, false) }));
}
