// audit records of one event -> what it says; from auditd's plugins or from the kernel log
import type { EventKind } from '../../model/event.ts';
import { type AuditRecord, readRecord, recordFields } from '../audit-record.ts';
import { withoutControls } from '../clean.ts';
import { commandKind } from '../commands.ts';
import { readSocketAddress } from '../sockaddr.ts';
import type { Reader, Reading } from './reader.ts';

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
/** Calls by architecture: x86-64, arm64 (as riscv64), i386. */
const CALLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  c000003e: { 42: 'connect', 49: 'bind', 50: 'listen', 59: 'execve', 322: 'execveat' },
  c00000b7: { 200: 'bind', 201: 'listen', 203: 'connect', 221: 'execve', 281: 'execveat' },
  c00000f3: { 200: 'bind', 201: 'listen', 203: 'connect', 221: 'execve', 281: 'execveat' },
  40000003: { 11: 'execve', 358: 'execveat', 361: 'bind', 362: 'connect', 363: 'listen' },
};

/** `records` share one time and serial and are at least one, in any order. */
export function readAuditEvent(records: readonly AuditRecord[]): Reading {
  const read = (type: string) => records.filter((record) => record.type === type).map(recordFields);
  const [call = new Map<string, string>()] = read('SYSCALL');
  const commit = read('NETFILTER_CFG').find((fields) => !REGISTERED.test(fields.get('op') ?? ''));
  const stated = read('USER_CMD')[0] ?? read('SERVICE_START')[0] ?? read('SERVICE_STOP')[0];
  const list = execveArguments(read('EXECVE'));
  const title = read('PROCTITLE')[0]?.get('proctitle')?.trim();
  const command = list?.join(' ') || stated?.get('cmd')?.trim() || title || undefined;
  const name = call.get('SYSCALL') ?? CALLS[call.get('arch') ?? '']?.[call.get('syscall') ?? ''];
  const socket = read('SOCKADDR').map((fields) => readSocketAddress(fields.get('saddr') ?? ''))[0];
  const isCommand = list !== undefined || stated?.has('cmd') || call.size === 0 || name?.startsWith('execve');
  const ran = command === undefined ? 'other' : commandKind(command);
  const types = new Set(records.map((record) => record.type));
  let kind: EventKind = ran === 'command' && !isCommand ? 'other' : ran;
  let action = commit?.get('op');
  if (commit) kind = 'firewall-changed';
  else if (types.has('SERVICE_START') || types.has('SERVICE_STOP')) {
    kind = types.has('SERVICE_STOP') ? 'service-stopped' : 'service-started';
    action = stated?.get('res');
  } else if (kind === 'other') kind = socketKind(name, call, socket?.port);
  const process = processOf(commit ?? stated ?? recordFields(records[0]), call);
  return clean({
    kind,
    observedAtMs: records[0].observedAtMs,
    command,
    action: action ?? (kind === 'listen' || kind === 'connect' ? name : undefined),
    unit: stated?.get('unit'),
    destinationAddress: socket?.address,
    destinationPort: socket?.port,
    arguments: list,
    entryCount: numberOf(commit?.get('entries')),
    ...process,
  });
}

/** Loading a table's module registers it and changes no rule. */
const REGISTERED = /^(?:xt_register|register)$/;

function socketKind(name: string | undefined, call: Fields, port: number | undefined): EventKind {
  if (name === 'connect') return port === undefined ? 'other' : 'connect';
  if (call.get('success') === 'no') return 'other';
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
  const entries = Object.entries(reading).map(([key, value]) => {
    if (typeof value === 'string') return [key, withoutControls(value)];
    return [key, Array.isArray(value) ? value.map((text: string) => withoutControls(text)) : value];
  });
  return Object.fromEntries(entries) as Reading;
}
