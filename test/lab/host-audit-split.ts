// auditd's records on standard input, those of every host on this kernel -> each host's own, by the group of its processes; a plugin of auditd
//   node host-audit-split.ts HOSTS      HOSTS: JSON, a list of {group, pid, folder, audit}
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Audit records name no network namespace; each host of the lab runs in a group id of its own instead. */
export interface AuditedHost {
  readonly group: number;
  readonly pid: number;
  readonly folder: string;
  readonly audit: 'plugin' | 'file';
}

const SERIAL = /\bmsg=audit\(([\d.:]+)\)/;
/** User messages (sudo's USER_CMD, sshd's USER_LOGIN) name the process only, so groups of processes are remembered. */
const MAX_PROCESSES = 50_000;
const MAX_WAITING = 1000;

type Deliver = (lines: readonly string[]) => void;

export function createSplitter(deliverTo: ReadonlyMap<number, Deliver>): (line: string) => void {
  const waiting = new Map<string, string[]>();
  const groups = new Map<string, number>();
  const finish = (serial: string) => {
    const lines = waiting.get(serial) ?? [];
    waiting.delete(serial);
    const syscall = lines.find((line) => line.startsWith('type=SYSCALL '));
    const named = /\bgid=(\d+)/.exec(syscall ?? '')?.[1];
    const pid = /\bpid=(\d+)/.exec(syscall ?? lines[0])?.[1] ?? '';
    const group = named === undefined ? groups.get(pid) : Number(named);
    if (group === undefined) return;
    if (groups.size > MAX_PROCESSES) groups.clear();
    if (deliverTo.has(group)) groups.set(pid, group);
    deliverTo.get(group)?.(lines);
  };
  return (line) => {
    const serial = SERIAL.exec(line)?.[1];
    if (serial === undefined) return;
    const lines = waiting.get(serial);
    if (lines) lines.push(line);
    else waiting.set(serial, [line]);
    if (line.startsWith('type=EOE ')) finish(serial);
    // User messages are events of one record, and have no end.
    else if (/^type=(?:USER|CRED|LOGIN|SERVICE)/.test(line) && !lines && !line.startsWith('type=LOGIN '))
      finish(serial);
    if (waiting.size > MAX_WAITING) finish(waiting.keys().next().value!);
  };
}

/** auditd's own plugin in the mount namespace of the host, where /dev/log is the host's. */
function startPlugin({ pid, group }: AuditedHost): Deliver {
  const command = ['-t', String(pid), '-m', '-u', 'setpriv', '--regid', String(group), '--clear-groups'];
  const plugin: ChildProcess = spawn(
    'nsenter',
    [...command, '/sbin/audisp-syslog', 'LOG_INFO', 'LOG_LOCAL6'],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  );
  plugin.stdin?.on('error', () => {});
  return (lines) => plugin.stdin?.write(`${lines.join('\n')}\n`);
}

/** What auditd would write to its log file: everything but the marks of ends. */
const writeFile =
  ({ folder }: AuditedHost): Deliver =>
  (lines) =>
    appendFileSync(
      `${folder}/audit.log`,
      lines
        .filter((line) => !line.startsWith('type=EOE '))
        .map((line) => `${line}\n`)
        .join(''),
    );

if (import.meta.main) {
  const hosts = JSON.parse(readFileSync(process.argv[2], 'utf8')) as AuditedHost[];
  const deliver = hosts.map(
    (host) => [host.group, host.audit === 'file' ? writeFile(host) : startPlugin(host)] as const,
  );
  createInterface({ input: process.stdin }).on('line', createSplitter(new Map(deliver)));
}
