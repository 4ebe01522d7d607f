// audit records of one event -> what it says; from auditd's plugins or from the kernel log
import type { EventKind } from '../../model/event.ts';
import { type AuditRecord, readRecord, recordFields } from '../audit-record.ts';
import { callName } from '../audit-tables.ts';
import { withoutControls } from '../clean.ts';
import { commandKind } from '../commands.ts';
import { netfilterChanges } from '../netfilter-changes.ts';
import { readSocketAddress } from '../sockaddr.ts';
import { addressText, portNumber, type Reader, type Reading } from './reader.ts';

export const audit: Reader = {
  knows: () => true,
  readerFor: () => (message) => {
    const record = readRecord(message);
    if (!record) return undefined;
    return readAuditEvent([record]);
  },
};

const MAX_ARGUMENTS = 128;
const MAX_ARGUMENTS_LENGTH = 16_384;
type Fields = ReadonlyMap<string, string>;
/** `records` share one time and serial and are at least one, in any order. */
export function readAuditEvent(records: readonly AuditRecord[]): Reading {
  const fields = records.map(recordFields);
  const read = (type: string) => fields.filter((_, i) => records[i].type === type);
  const [call = new Map<string, string>()] = read('SYSCALL');
  const name = callOf(call);
  const changes = LOADS.has(name ?? '') ? [] : netfilterChanges(records);
  // One commit may tell of several tables: what was taken away matters most.
  const change = changes.find(({ isRemoval }) => isRemoval) ?? changes[0];
  const stated = read('USER_CMD')[0] ?? read('SERVICE_START')[0] ?? read('SERVICE_STOP')[0];
  const list = execveArguments(read('EXECVE'));
  const title = read('PROCTITLE')[0]?.get('proctitle')?.trim();
  const command = list?.join(' ') || stated?.get('cmd')?.trim() || title || undefined;
  const socket = read('SOCKADDR').map((fields) => readSocketAddress(fields.get('saddr') ?? ''))[0];
  const isCommand = list !== undefined || stated?.has('cmd') || call.size === 0 || name?.startsWith('execve');
  // What failed to start ran nothing: the title is its caller's. What a tool does with sockets is not what it was run for.
  const isNoRun =
    SOCKET_CALLS.has(name ?? '') || (name?.startsWith('execve') && call.get('success') === 'no');
  const ran = command === undefined || isNoRun ? 'other' : commandKind(command);
  const [first] = records;
  const isLogin = LOGINS.has(first.type);
  let kind: EventKind = ran === 'command' && !isCommand ? 'other' : ran;
  let action = change?.operation;
  if (change) kind = 'firewall-changed';
  else if (first.type === 'SERVICE_START' || first.type === 'SERVICE_STOP') {
    kind = first.type === 'SERVICE_STOP' ? 'service-stopped' : 'service-started';
    action = stated?.get('res');
  } else if (kind === 'other') kind = socketKind(name, call, socket?.port);
  const isSocket = kind === 'listen' || kind === 'connect';
  const own = change && read('NETFILTER_CFG').find((fields) => fields.get('op') === change.operation);
  const process = processOf(own ?? stated ?? fields[0], call);
  return clean({
    kind,
    observedAtMs: first.observedAtMs,
    node: first.node || undefined,
    command,
    action: action ?? (isSocket ? name : undefined),
    unit: stated?.get('unit'),
    ...(name?.startsWith('accept')
      ? { sourceAddress: socket?.address, sourcePort: socket?.port }
      : { destinationAddress: socket?.address, destinationPort: socket?.port }),
    arguments: list,
    entryCount: change?.entryCount,
    ...process,
    ...(isLogin && loginOf(first, fields[0])),
  });
}

/** Before Linux 5.8 nothing but the call tells that a module's table was registered. */
const LOADS: ReadonlySet<string> = new Set(['init_module', 'finit_module']);

const SOCKET_CALLS: ReadonlySet<string> = new Set([
  'socket',
  'bind',
  'listen',
  'connect',
  'accept',
  'accept4',
]);

/** By its enriched name, else by its number; i386 calls every socket by one call, whose first argument tells which (linux/net.h). */
function callOf(call: Fields): string | undefined {
  const name = call.get('SYSCALL') ?? callName(call.get('arch') ?? '', call.get('syscall') ?? '');
  if (name !== 'socketcall') return name;
  return { 2: 'bind', 3: 'connect', 4: 'listen', 5: 'accept', 12: 'accept4' }[
    Number.parseInt(call.get('a0') ?? '', 16)
  ];
}

const LOGINS: ReadonlySet<string> = new Set(['USER_LOGIN', 'USER_AUTH', 'CRED_ACQ', 'USER_ERR']);

/** Of a login over the network; sudo and cron authenticate too, from no address. */
function loginOf({ type }: AuditRecord, fields: Fields): Partial<Reading> {
  const sourceAddress = addressText(fields.get('addr')) ?? addressText(fields.get('hostname'));
  const isDone = /^(?:suc|yes$|1$)/i.test(fields.get('res') ?? '');
  const account = fields.get('acct') ?? fields.get('ID') ?? fields.get('id');
  const user = account === '?' ? undefined : account;
  if (type === 'USER_ERR') return { user, sourceAddress };
  if (sourceAddress === undefined && type !== 'USER_LOGIN') return { user };
  return {
    kind: isDone ? 'login-accepted' : 'login-failed',
    user,
    sourceAddress,
    sourcePort: portNumber(fields.get('rport')),
    action: fields.get('op'),
  };
}

function socketKind(name: string | undefined, call: Fields, port: number | undefined): EventKind {
  if (name === 'connect') return port === undefined ? 'other' : 'connect';
  if (call.get('success') === 'no') return 'other';
  if (name === 'accept' || name === 'accept4') return port === undefined ? 'other' : 'connect';
  // Port 0 takes any: what connects does that.
  if (name === 'bind') return port ? 'listen' : 'other';
  return name === 'listen' ? 'listen' : 'other';
}

/** The call knows the process best; the others name it where auditing of calls is off. */
function processOf(other: Fields, call: Fields): Partial<Reading> {
  const value = (...keys: string[]) => {
    for (const fields of [call, other]) for (const key of keys) if (fields.get(key)) return fields.get(key);
    return undefined;
  };
  const tty = value('tty', 'terminal');
  return {
    executable: value('exe') ?? value('comm'),
    pid: numberOf(value('pid')),
    parentPid: numberOf(value('ppid')),
    effectiveUser: set(value('EUID', 'euid', 'UID', 'uid')),
    loginUser: set(value('AUID', 'auid')),
    tty: tty === '(none)' ? undefined : tty,
  };
}

const set = (user: string | undefined) => (user && /^(?:4294967295|-1|unset)$/.test(user) ? undefined : user);

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** A long argument comes in pieces `a1[0]=`, `a1[1]=`, over several records if need be. undefined where there is none. */
export function execveArguments(records: readonly Fields[]): string[] | undefined {
  const pieces = new Map<number, [number, string][]>();
  let length = 0;
  for (const fields of records) {
    for (const [key, value] of fields) {
      const match = /^a(\d{1,4})(?:\[(\d{1,5})\])?$/.exec(key);
      if (!match || (pieces.size >= MAX_ARGUMENTS && !pieces.has(Number(match[1])))) continue;
      length += value.length;
      if (length > MAX_ARGUMENTS_LENGTH) break;
      const list = pieces.get(Number(match[1])) ?? [];
      list.push([Number(match[2] ?? 0), value]);
      pieces.set(Number(match[1]), list);
    }
  }
  if (pieces.size === 0) return undefined;
  const inOrder = [...pieces].sort(([a], [b]) => a - b);
  return inOrder.map(([, list]) =>
    list
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text)
      .join(''),
  );
}

/** What was encoded may hold anything. */
function clean(reading: Reading): Reading {
  const cleaned: Record<string, unknown> = { ...reading };
  for (const key in cleaned) {
    const value = cleaned[key];
    if (typeof value === 'string') cleaned[key] = withoutControls(value);
    else if (Array.isArray(value)) cleaned[key] = value.map((text: string) => withoutControls(text));
  }
  return cleaned as unknown as Reading;
}
