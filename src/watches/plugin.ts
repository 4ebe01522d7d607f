// events -> pulls of the devices that changed; devices, hosts and open watches -> what flows count as internal, and whose attempts are kept
import fp from 'fastify-plugin';
import { definitionOf } from '../../devices/index.ts';
import { readParameters } from '../analytics/parameters.ts';
import { meansConfigChanged } from '../events/changes.ts';
import type {} from '../events/plugin.ts';
import type {} from '../flows/plugin.ts';
import { type AddressSet, addressSet, NO_ADDRESSES, sameAddresses } from '../model/addresses.ts';
import type { Event } from '../model/event.ts';
import { provide } from '../provide.ts';
import { translatedAddresses } from '../store/clickhouse/translations.ts';
import { allDevices, type Device } from '../store/postgres/devices.ts';
import { allHosts } from '../store/postgres/hosts.ts';
import { isSameMachine } from './host-site.ts';
import { isAddress, orientationAddresses } from './site.ts';

/** Devices and watches change seldom; this is how late a collector may learn of it. */
const REFRESH_MS = 10_000;
/** Addresses that hosts are translated to: how often they are read, and how long one stays that no event names any more. */
const LEARN_MS = 60_000;
const LEARN_FROM_MS = 7 * 86_400_000;
/** A change is rarely one line: the pull waits this long for the rest. The job pulls once more when it has settled. */
const DEBOUNCE_MS = 3000;

export default fp(
  async (app) => {
    const { services } = app;
    provide(app, { parametersOf: readParameters(services.settings.POSTERN_PARAMETERS) });
    let bySender = new Map<string, Device>();
    let byOrigin = new Map<string, Device>();
    let hostAddresses: AddressSet | undefined;
    let internal: AddressSet | undefined;
    let translated = NO_ADDRESSES;
    let learnAtMs = 0;
    const pullDueAtMs = new Map<string, number>();
    let timer: NodeJS.Timeout | undefined;

    // Exporters that somebody registered: any other could make a host of the internet pass for one of the site.
    const learnTranslated = (devices: readonly Device[]) => {
      const exporters = devices.flatMap((device) => device.exporters).filter(isAddress);
      return translatedAddresses(services.clickhouse, exporters, services.now() - LEARN_FROM_MS);
    };

    const refresh = async () => {
      const devices = await allDevices(services.postgres);
      bySender = new Map(
        devices.flatMap((device) =>
          [device.address, ...device.addresses].map((address) => [address, device] as const),
        ),
      );
      const hosts = await allHosts(services.postgres);
      byOrigin = new Map(
        [...devices.map((device) => [device.name, device] as const)].concat(
          hosts.flatMap((host) =>
            devices
              .filter((device) => isSameMachine(host, device))
              .map((device) => [host.name, device] as const),
          ),
        ),
      );
      const ofHosts = addressSet(...hosts.flatMap((host) => host.addresses));
      if (!hostAddresses || !sameAddresses(hostAddresses, ofHosts)) {
        hostAddresses = ofHosts;
        app.flows.setHosts(ofHosts);
      }
      if (services.now() >= learnAtMs) {
        learnAtMs = services.now() + LEARN_MS;
        translated = await learnTranslated(devices);
      }
      const next = await orientationAddresses(services.postgres, services.settings, translated);
      if (internal && sameAddresses(internal, next)) return;
      internal = next;
      app.flows.setInternal(next);
    };
    const refreshSafely = () =>
      refresh().catch((error) =>
        app.log.warn({ err: error }, 'devices cannot be read; the last known ones count'),
      );

    const pullChanged = (batch: readonly Event[]) => {
      for (const event of batch) {
        const device = bySender.get(event.sender) ?? byOrigin.get(event.origin ?? '');
        const definition = device && definitionOf(device.vendor);
        if (!definition || !meansConfigChanged(definition, event)) continue;
        const nowMs = services.now();
        // One pull answers all lines until it begins: a flood of them must not put it off.
        if ((pullDueAtMs.get(device.id) ?? 0) > nowMs) continue;
        pullDueAtMs.set(device.id, nowMs + DEBOUNCE_MS);
        services.jobs
          .add('pull-device', { deviceId: device.id, cause: 'syslog' }, { delayMs: DEBOUNCE_MS })
          .catch((error) =>
            app.log.error({ err: error, device: device.name }, 'the pull after a change cannot be queued'),
          );
      }
    };

    app.addHook('onReady', async () => {
      await refresh();
      app.events.onEvents(pullChanged);
      timer = setInterval(refreshSafely, REFRESH_MS).unref();
    });
    app.addHook('onClose', async () => clearInterval(timer));
  },
  { name: 'watches', dependencies: ['store', 'job-queues', 'flows', 'events'] },
);
