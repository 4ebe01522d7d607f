// an event of a device -> whether the device should be pulled
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { Event } from '../model/event.ts';

const MAX_LENGTH = 8192;

/** True where the line says that the configuration changed, by the vendor's own words or by what was understood of it. */
export function meansConfigChanged(definition: Pick<DeviceDefinition, 'changedBy'>, event: Event): boolean {
  if (event.kind === 'config-changed' || event.kind === 'firewall-changed') return true;
  const message = event.message.slice(0, MAX_LENGTH);
  return definition.changedBy.some((pattern) => message.search(pattern) >= 0);
}
