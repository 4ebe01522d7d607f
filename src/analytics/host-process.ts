// an event and what ran before it -> the process that did it, its ancestors, and what of them is suspicious
import type { Event } from '../model/event.ts';
import { happenedAt } from '../model/event.ts';
import type { HistoryRow, HostEvidence, ProcessFacts } from '../model/host.ts';
import { isShell } from './command-prefixes.ts';
import { commandWords } from './command-words.ts';
import { baseName } from './simple-commands.ts';

const MAX_ANCESTORS = 8;
/** Clocks of one host agree to this. */
const SLACK_MS = 1000;

export interface Lineage {
  readonly event: Event;
  /** The parent first. Known by its execution, or by its path alone. */
  readonly ancestors: readonly Ancestor[];
}

export interface Ancestor {
  readonly executable: string;
  readonly event?: Event;
}

/** A process id is used again: an execution after its child's is another process's. */
export function lineageOf(event: Event, processes: HostEvidence['processes']): Lineage {
  const own = executionOf(event, processes);
  const ancestors: Ancestor[] = [];
  const seen = new Set<number>();
  let child = own;
  while (ancestors.length < MAX_ANCESTORS) {
    const pid = child.parentPid;
    const parent = pid === undefined || seen.has(pid) ? undefined : processes.get(pid);
    if (pid !== undefined) seen.add(pid);
    if (parent?.executable !== undefined && happenedAt(parent) <= happenedAt(child) + SLACK_MS) {
      ancestors.push({ executable: parent.executable, event: parent });
      child = parent;
    } else {
      if (child.parentExecutable) ancestors.push({ executable: child.parentExecutable });
      else if (pid === 1) ancestors.push({ executable: 'systemd (process 1)' });
      break;
    }
  }
  return { event: own, ancestors };
}

/** A record of the kernel that names a process by its id, with what its execution said. */
function executionOf(event: Event, processes: HostEvidence['processes']): Event {
  if (event.pid === undefined || event.arguments) return event;
  const run = processes.get(event.pid);
  if (!run || run === event || happenedAt(run) > happenedAt(event) + SLACK_MS) return event;
  const told = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
  return { ...run, ...told, arguments: run.arguments, command: run.command ?? event.command } as Event;
}

export function processFacts({ event, ancestors }: Lineage): ProcessFacts {
  return {
    executable: event.executable,
    arguments: event.arguments,
    command: event.command,
    pid: event.pid,
    parentPid: event.parentPid,
    parentExecutable: ancestors[0]?.executable,
    user: event.effectiveUser ?? event.user,
    loginUser: event.loginUser ?? (event.program === 'sudo' ? event.user : undefined),
    tty: event.tty,
  };
}

export type ProcessSign = 'serviceParent' | 'unsetLogin' | 'temporaryPath' | 'serviceAccount' | 'interpreter';

export interface SignFound {
  readonly sign: ProcessSign;
  readonly reason: string;
}

/** Programs that answer strangers: none of them has business with the packet filter. */
const SERVING =
  /^(?:nginx|apache2|httpd|lighttpd|caddy|php-fpm[\d.]{0,6}|php-cgi[\d.]{0,6}|uwsgi|gunicorn|tomcat\d{0,2}|java|catalina\.sh|w3wp|mysqld|mariadbd|postgres|redis-server|valkey-server|mongod|memcached|oracle|sqlservr|elasticsearch|couchdb|beam\.smp|exim4?|postfix|master|smbd|vsftpd|proftpd|named|node)$/;
const INTERPRETER = /^(?:python|perl|ruby|php|lua|node|tclsh|pwsh)[\d.-]{0,8}$/;
const TEMPORARY =
  /^(?:\/tmp\/|\/var\/tmp\/|\/dev\/shm\/|\/run\/user\/|\/proc\/self\/fd\/|memfd:|\/memfd:|\/run\/shm\/)/;
const ACCOUNTS =
  /^(?:www-data|nginx|apache|httpd|http|tomcat\d{0,2}|postgres|mysql|mariadb|redis|mongodb|nobody|daemon|bin|mail|postfix|exim|ftp|games|lp|news|proxy|uucp|backup|sshd|git|jenkins|elasticsearch|oracle)$/;

export function signsOf({ event, ancestors }: Lineage): SignFound[] {
  const found: SignFound[] = [];
  const chain = [{ executable: event.executable ?? '', event }, ...ancestors];
  const serving = ancestors.find(({ executable }) => SERVING.test(baseName(executable)));
  if (serving) found.push({ sign: 'serviceParent', reason: `started below ${serving.executable}` });
  const temporary = chain
    .flatMap((one) => pathsOf(one))
    .find((path) => TEMPORARY.test(path) || / \(deleted\)$/.test(path));
  if (temporary !== undefined) found.push({ sign: 'temporaryPath', reason: `ran from ${temporary}` });
  const interactive = ancestors.find(
    (one) =>
      isShell(baseName(one.executable)) &&
      wordsOf(one.event).some((word) => /^-[a-z]{0,4}i[a-z]{0,4}$/.test(word)),
  );
  const isUnset = event.loginUser === undefined && event.pid !== undefined && event.parentPid !== undefined;
  if (isUnset && (interactive || /^pts/.test(event.tty ?? '')))
    found.push({
      sign: 'unsetLogin',
      reason: `nobody logged in, yet it ran ${interactive ? `below an interactive ${baseName(interactive.executable)}` : `on ${event.tty}`}`,
    });
  const account = [
    event.loginUser,
    event.effectiveUser,
    ...ancestors.map((one) => one.event?.effectiveUser),
  ].find((user) => user !== undefined && isServiceAccount(user));
  if (account !== undefined)
    found.push({ sign: 'serviceAccount', reason: `ran as, or below, the service account ${account}` });
  const nearest = chain.find(
    ({ executable }) =>
      !isShell(baseName(executable)) &&
      !/^(?:sudo|doas|env)$/.test(baseName(executable)) &&
      !TOOL.test(baseName(executable)),
  );
  if (nearest && INTERPRETER.test(baseName(nearest.executable)) && !isFrontEnd(nearest))
    found.push({ sign: 'interpreter', reason: `a program run by ${nearest.executable}` });
  return found;
}

const TOOL = /^(?:nft|xtables-\S+|ip6?tables\S{0,12}|ipset|systemctl|service|ufw|firewall-cmd)$/;

/** ufw and firewall-cmd are scripts of an interpreter. */
const isFrontEnd = ({ event }: Ancestor): boolean =>
  wordsOf(event)
    .slice(1, 4)
    .some((word) => /^\/(?:usr\/)?s?bin\/(?:ufw|firewall-cmd|firewalld|fail2ban-\w+)$/.test(word));

/** Numbers below 1000 are accounts of the system (login.defs), 65534 is nobody. */
function isServiceAccount(user: string): boolean {
  if (ACCOUNTS.test(user)) return true;
  return /^\d{1,3}$/.test(user) ? Number(user) > 0 : user === '65534';
}

/** Exact where its execution was recorded; else by its title. */
const wordsOf = (event: Event | undefined): readonly string[] =>
  event?.arguments ?? (event?.command === undefined ? [] : commandWords(event.command));

/** The executable, and the script that an interpreter runs: its first word that is no option. */
function pathsOf({ executable, event }: Ancestor): string[] {
  const name = baseName(executable);
  if (!isShell(name) && !INTERPRETER.test(name)) return [executable];
  const words = wordsOf(event).slice(1, 6);
  if (words.some((word) => /^-[a-zA-Z]{0,6}[ce]$/.test(word))) return [executable];
  const script = words.find((word) => !word.startsWith('-'));
  return script === undefined ? [executable] : [executable, script];
}

/** Of AllowedScripts the one that runs it: a path, or a glob of one in which `*` stands for any text. */
export function allowedBy({ event, ancestors }: Lineage, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0) return undefined;
  const paths = [{ executable: event.executable ?? '', event }, ...ancestors].flatMap(pathsOf);
  return allowed.find((glob) => paths.some((path) => globMatches(glob, path)));
}

/** In time of the product of both lengths at most. */
export function globMatches(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  let i = 0;
  while (i < text.length) {
    if (glob[at] === '*') {
      star = at++;
      retry = i;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === text[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++retry;
    } else return false;
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}

/** Who, for comparing with what was learned: an empty text where nobody logged in. */
const loginOf = (event: Event): string =>
  event.loginUser ?? (event.program === 'sudo' ? (event.user ?? '') : '');

export interface Habit {
  readonly days: number;
  readonly count: number;
  readonly command: string;
}

/** The same command, numbers aside, by the same executable, parent and login before; the parent counts where both are known. */
export function habitOf({ event, ancestors }: Lineage, history: readonly HistoryRow[]): Habit | undefined {
  const shape = shapeOf(event.command ?? '');
  const parent = ancestors[0]?.executable;
  const same = history.filter(
    (row) =>
      row.executable === (event.executable ?? '') &&
      row.loginUser === (event.loginUser ?? '') &&
      shapeOf(row.command) === shape &&
      (row.unit === '' || row.unit === (event.unit ?? '')) &&
      (row.parentExecutable === '' || parent === undefined || row.parentExecutable === parent),
  );
  if (same.length === 0) return undefined;
  return {
    days: Math.max(...same.map(({ days }) => days)),
    count: same.reduce((sum, { count }) => sum + count, 0),
    command: same[0].command,
  };
}

/** Rows are cut at 200 characters. */
const shapeOf = (command: string): string =>
  command
    .slice(0, 200)
    .replace(/[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}|\d+/gi, '#')
    .slice(0, 120);

/** On how many days whoever logged in changed this firewall before, in whatever way. */
export function daysOfLogin(event: Event, history: readonly HistoryRow[]): number {
  const login = loginOf(event);
  if (login === '') return 0;
  return Math.max(
    0,
    ...history
      .filter((row) => row.kind === 'firewall-changed' && row.loginUser === login)
      .map(({ days }) => days),
  );
}

export { loginOf };
