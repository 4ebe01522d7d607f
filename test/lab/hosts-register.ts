// hosts of the lab -> hosts and devices that Postern knows, and its settings
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GATEWAY, GATEWAY_MANAGEMENT, type HostSite } from './hosts.ts';
import type { Network } from './network.ts';
import type { Postern } from './postern.ts';

/** Hosts with a vendor are devices as well, whose rulesets are pulled. The gateway is known by its addresses. */
export async function registerHosts(postern: Postern, site: HostSite, secret: string): Promise<void> {
  await postern.api('POST', '/v1/endpoints', {
    name: 'soc',
    url: 'http://127.0.0.1:9000/hook',
    secret,
    minSeverity: 'informational',
  });
  const privateKey = readFileSync(site.key, 'utf8');
  const device = { username: 'postern', credential: { privateKey } };
  await postern.api('POST', '/v1/devices', {
    ...device,
    name: 'gateway',
    vendor: 'linux-iptables',
    address: GATEWAY_MANAGEMENT,
    pullIntervalSeconds: 86_400,
    addresses: [GATEWAY_MANAGEMENT, GATEWAY],
    exporters: [GATEWAY_MANAGEMENT],
  });
  for (const { plan, address, management } of site.hosts.values()) {
    const addresses = [address, management];
    await postern.api('POST', '/v1/hosts', { name: plan.name, platform: 'linux', addresses });
    if (plan.vendor)
      await postern.api('POST', '/v1/devices', {
        ...device,
        ...{ name: plan.name, vendor: plan.vendor, address: management, addresses },
        pullIntervalSeconds: 10,
      });
  }
}

const OFF = [
  'TOR_EXITS',
  ...['AWS', 'GOOGLE_CLOUD', 'AZURE', 'CLOUDFLARE', 'FASTLY', 'ORACLE'].map((name) => `${name}_RANGES`),
];
const OFF_TOO = ['DIGITALOCEAN', 'LINODE', 'VULTR'].map((name) => `${name}_RANGES`);

export function settingsOfHosts(
  network: Network,
  parameters: Record<string, unknown>,
): Record<string, string> {
  const file = join(network.folder, 'parameters.json');
  writeFileSync(file, JSON.stringify(parameters));
  return {
    ...Object.fromEntries([...OFF, ...OFF_TOO, 'IPTOASN'].map((name) => [`POSTERN_${name}_URL`, 'off'])),
    POSTERN_PARAMETERS: file,
    POSTERN_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1',
  };
}
