// hosts -> the kernel's audit records, by auditd and the rules that README names, in each host's syslog
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditedHost } from './host-audit-split.ts';
import { ACCOUNTS, FIRST_GROUP, type HostSite } from './hosts.ts';
import type { Network } from './network.ts';
import { run, waitFor } from './processes.ts';

const SPLIT = fileURLToPath(new URL('./host-audit-split.ts', import.meta.url));
const LAST_GROUP = FIRST_GROUP + 255;

/** The machine has one audit subsystem: nothing but the hosts' groups is watched, so that what else runs here costs nothing. */
const OURS = ['-F', `gid>=${FIRST_GROUP}`, '-F', `gid<=${LAST_GROUP}`];
const RULES = [
  ['-S', 'execve,execveat', '-F', 'success=1', '-F', 'key=postern_exec'],
  ['-S', 'bind,listen', '-F', 'success=1', '-F', 'key=postern_listen'],
  ['-S', 'connect', '-F', 'a2=16', '-F', 'key=postern_conn4'],
];

const CONFIG = `
local_events = yes
write_logs = no
log_format = ENRICHED
name_format = NONE
q_depth = 20000
overflow_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
space_left = 75
space_left_action = IGNORE
admin_space_left = 50
admin_space_left_action = IGNORE
plugin_dir = /etc/audit/plugins.d
`;

const PLUGIN = (path: string) => `
active = yes
direction = out
path = ${path}
type = always
format = string
`;

/** auditd names users by an /etc of its own, where those of the hosts are. */
const startInPlace = (folder: string) => `set -e
mount --make-rprivate /
mkdir '${folder}/etc'
mount -t tmpfs -o mode=755,size=32m tmpfs '${folder}/etc'
cp -a /etc/. '${folder}/etc/'
printf '${ACCOUNTS.map((user) => `${user}:0::/tmp:/bin/sh\\n`).join('')}' >>'${folder}/etc/passwd'
cp '${folder}/auditd.conf' '${folder}/etc/audit/'
rm -f '${folder}'/etc/audit/plugins.d/*
cp '${folder}/split.conf' '${folder}/etc/audit/plugins.d/'
mount --move '${folder}/etc' /etc
mount -t tmpfs tmpfs /run
exec auditd -n
`;

/** False where this kernel can audit and nobody else does; else why not. What a killed lab left behind is not in the way. */
export async function auditIsUnavailable(): Promise<string | false> {
  try {
    const status = await run(['auditctl', '-s']);
    const pid = /^pid (\d+)/m.exec(status)?.[1] ?? '0';
    const mounts = `/proc/${pid}/mountinfo`;
    const isOthers = pid !== '0' && existsSync(mounts) && !/\/plab-\d+-/.test(readFileSync(mounts, 'utf8'));
    return isOthers ? `auditd runs here already (process ${pid})` : false;
  } catch (error) {
    return `no audit subsystem: ${error}`;
  }
}

export interface Audit {
  /** Ends auditing on the machine. */
  stop(): Promise<void>;
}

export async function startAudit(network: Network, { hosts }: HostSite): Promise<Audit> {
  const folder = join(network.folder, 'audit');
  mkdirSync(folder);
  // auditd refuses files that others may write.
  const write = (name: string, text: string, mode = 0o640) => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
  };
  const audited: AuditedHost[] = [...hosts.values()].map(({ group, pid, folder: of, plan }) => ({
    ...{ group, pid, folder: of },
    audit: plan.audit ?? 'plugin',
  }));
  write('hosts.json', JSON.stringify(audited));
  write('auditd.conf', CONFIG);
  write(
    'split',
    `#!/bin/sh\nexec '${process.execPath}' '${SPLIT}' '${join(folder, 'hosts.json')}' 2>'${folder}/split.log'\n`,
    0o750,
  );
  write('split.conf', PLUGIN(join(folder, 'split')));
  write('auditd.sh', startInPlace(folder));
  // In a namespace of the lab's, so that the next lab ends what a killed one left.
  const netns = await network.namespace('audit');
  network.daemons.start('auditd', ['unshare', '-m', 'sh', join(folder, 'auditd.sh')], { netns });
  await waitFor('auditd', async () => /^pid [1-9]/m.test(await run(['auditctl', '-s'])), 10_000);
  await run(['auditctl', '-b', '16384']);
  for (const rule of RULES) await run(['auditctl', '-a', 'always,exit', '-F', 'arch=b64', ...OURS, ...rule]);
  await run(['auditctl', '-e', '1']);
  return {
    async stop() {
      await run(['auditctl', '-D']).catch(() => {});
      await run(['auditctl', '-e', '0']).catch(() => {});
    },
  };
}
