// the records of one audit event -> who did what to what, by which program, with which result
import { type Action, actionOf, categoryOf } from './audit-actions.ts';
import { type EcsPlace, placeOf } from './audit-ecs.ts';
import type { AuditRecord } from './audit-record.ts';
import { recordTypeNumber } from './audit-tables.ts';
import { type InterpretedRecord, interpretRecord } from './audit-values.ts';

type Texts = Readonly<Record<string, string>>;

/** All values as text; what is not known is left out. */
export interface AuditSummary {
  readonly type: string;
  readonly category: string;
  readonly result: string;
  readonly session?: string;
  readonly tags: readonly string[];
  readonly actor: { readonly primary?: string; readonly secondary?: string };
  readonly action?: string;
  readonly object: { readonly type?: string; readonly primary?: string; readonly secondary?: string };
  readonly how?: string;
  /** pid, ppid, title, name, exe, cwd. */
  readonly process: Texts;
  readonly arguments?: readonly string[];
  readonly ids: Texts;
  /** What auditd resolved itself (log_format = ENRICHED): AUID, UID, SYSCALL and so on. */
  readonly names: Texts;
  /** Of the subject; one part without SELinux. */
  readonly context: Texts;
  /** path, device, inode, mode, uid, gid; `kind` by the mode. */
  readonly file?: { readonly told: Texts; readonly context: Texts; readonly kind?: string };
  readonly source?: Texts;
  readonly destination?: Texts;
  readonly direction?: 'ingress' | 'egress';
  readonly ecs?: EcsPlace;
  readonly data: Texts;
  readonly paths: readonly Texts[];
}

const PROCESS: Texts = { pid: 'pid', ppid: 'ppid', proctitle: 'title', comm: 'name', exe: 'exe', cwd: 'cwd' };
const INCOMING = new Set(['accept', 'accept4', 'recvfrom', 'recvmsg']);
const OUTGOING = new Set(['connect', 'sendto', 'sendmsg']);
const MAX_ARGUMENTS = 1000;

/** `records` share one time and serial, in any order; undefined where there is none but EOE. */
export function summarizeAudit(records: readonly AuditRecord[]): AuditSummary | undefined {
  const read = records.filter(({ type }) => type !== 'EOE').map(interpretRecord);
  if (read.length === 0) return undefined;
  const call = read.find(({ type }) => type === 'SYSCALL');
  const main = call ?? read[0];
  const special = read[0].type === 'SYSCALL' || DETAILS.has(read[0].type) ? main : read[0];
  const data = new Map(main.fields);
  const parts = takeParts(data);
  if (read.length > 1) addOthers(data, read, main);
  const name = data.get('syscall');
  const paths =
    read.length > 1 ? read.filter(({ type }) => type === 'PATH').map(({ fields }) => texts(fields)) : [];
  const action = actionOf(special.type, name, (field) => data.has(field));
  const value = (keys: readonly string[] = []) => {
    const key = keys.find((one) => data.has(one) || one in parts.ids);
    return key === undefined ? undefined : (data.get(key) ?? parts.ids[key]);
  };
  const file = action && FILES.has(action.what ?? '') ? fileOf(paths, action.pathIndex ?? 0) : undefined;
  const how = value(action?.how) ?? programOf(data);
  const actor = {
    primary: value(action?.actor) ?? parts.ids.auid,
    secondary: value(action?.secondActor) ?? parts.ids.uid,
  };
  const object = objectOf(action, data, file, value);
  const ends = endsOf(data, action);
  const callAction = actionOf('SYSCALL', name, () => false)?.action;
  const what = {
    type: special.type,
    result: parts.result ?? 'unknown',
    actor,
    action: action?.action,
    object,
    ids: parts.ids,
  };
  return {
    ...what,
    category: categoryOf(recordTypeNumber(special.type)),
    ecs: placeOf(what, name, callAction),
    session: parts.session,
    tags: main.tags,
    how,
    process: takeProcess(data),
    arguments: argumentsOf(read),
    names: parts.names,
    context: parts.context,
    file,
    ...ends,
    data: texts(data),
    paths,
  };
}

const FILES = new Set(['file', 'filesystem']);
/** They tell details of a call, never what an event is. */
const DETAILS = new Set(['PATH', 'CWD', 'SOCKADDR', 'EXECVE', 'PROCTITLE']);
const texts = (fields: Iterable<readonly [string, string]>): Texts => Object.fromEntries(fields);

/** Whose and with which result, taken out of the data. */
function takeParts(data: Map<string, string>) {
  const ids: Record<string, string> = {};
  const context: Record<string, string> = {};
  const names: Record<string, string> = {};
  const take = (key: string) => {
    const value = data.get(key);
    data.delete(key);
    return value;
  };
  const [result, session] = [take('result'), take('ses')];
  for (const [key, value] of [...data]) {
    if (/[ug]id$/.test(key)) ids[key] = value;
    else if (key.startsWith('subj_')) context[key.slice(5)] = value;
    else if (/^[A-Z]{2,16}$/.test(key)) names[key] = value;
    else continue;
    data.delete(key);
  }
  return { result, session, ids, context, names };
}

/** What the other records add; the first of each field counts. */
function addOthers(
  data: Map<string, string>,
  read: readonly InterpretedRecord[],
  main: InterpretedRecord,
): void {
  const add = (key: string, value: string) => {
    if (!data.has(key)) data.set(key, value);
  };
  data.delete('items');
  for (const one of read) {
    if (one === main || one.type === 'PATH') continue;
    for (const [key, value] of one.fields) {
      if (one.type === 'EXECVE') {
        if (key === 'argc') data.set(key, value);
      } else add(one.type === 'SOCKADDR' ? `socket_${key}` : key, value);
    }
  }
}

function argumentsOf(read: readonly InterpretedRecord[]): string[] | undefined {
  const fields = read.length > 1 ? read.find(({ type }) => type === 'EXECVE')?.fields : undefined;
  const count = Math.min(Number(fields?.get('argc') ?? 0), MAX_ARGUMENTS);
  if (!fields || !(count > 0)) return undefined;
  const list = Array.from({ length: count }, (_, i) => fields.get(`a${i}`));
  return list.every((word) => word !== undefined) ? (list as string[]) : undefined;
}

function takeProcess(data: Map<string, string>): Texts {
  const process: Record<string, string> = {};
  for (const [key, name] of Object.entries(PROCESS)) {
    const value = data.get(key);
    if (value !== undefined) process[name] = value;
    data.delete(key);
  }
  return process;
}

/** A script's interpreter says less than its name. */
function programOf(data: ReadonlyMap<string, string>): string | undefined {
  const [exe, comm] = [data.get('exe'), data.get('comm')];
  if (exe !== undefined && comm !== undefined && /^\/usr\/bin\/(?:python|perl|bash|sh)/.test(exe))
    return comm;
  return exe ?? comm;
}

function objectOf(
  action: Action | undefined,
  data: ReadonlyMap<string, string>,
  file: ReturnType<typeof fileOf>,
  value: (keys?: readonly string[]) => string | undefined,
): AuditSummary['object'] {
  const isSocket = action?.what === 'socket';
  const socket = isSocket ? (data.get('socket_addr') ?? data.get('socket_path')) : undefined;
  return {
    type: file?.kind === undefined ? action?.what : 'file',
    primary: value(action?.object) ?? file?.told.path ?? socket,
    secondary: value(action?.secondObject) ?? (isSocket ? data.get('socket_port') : undefined),
  };
}

/** Types of st_mode (inode(7)). */
const KINDS: Readonly<Record<number, string>> = {
  1: 'named-pipe',
  2: 'character-device',
  4: 'directory',
  6: 'block-device',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};
const FILE_FIELDS: Texts = { name: 'path', rdev: 'device', inode: 'inode', ouid: 'uid', ogid: 'gid' };

/** The PATH at the index, or the first behind it that is neither a parent nor unknown. */
function fileOf(paths: readonly Texts[], index: number): AuditSummary['file'] {
  if (paths.length === 0) return undefined;
  const from = index < paths.length ? index : 0;
  const named = paths.slice(from).find(({ nametype }) => nametype !== 'PARENT' && nametype !== 'UNKNOWN');
  const path = named ?? paths[from];
  const told: Record<string, string> = {};
  const context: Record<string, string> = {};
  for (const [key, value] of Object.entries(path)) {
    if (key in FILE_FIELDS) told[FILE_FIELDS[key]] = value;
    else if (key.startsWith('obj_')) context[key.slice(4)] = value;
  }
  const mode = /^[0-7]{1,8}$/.test(path.mode ?? '') ? Number.parseInt(path.mode, 8) : undefined;
  if (mode === undefined) return { told, context };
  told.mode = (mode & 0o7777).toString(8).padStart(4, '0');
  return { told, context, kind: KINDS[mode >> 12] };
}

/** Where it came from or went to: of the socket by the call, else of the field that names it, which then leaves the data. */
function endsOf(data: Map<string, string>, action: Action | undefined): Partial<AuditSummary> {
  const end: Record<string, string> = {};
  for (const [key, name] of [
    ['socket_addr', 'ip'],
    ['socket_port', 'port'],
    ['socket_path', 'path'],
  ])
    if (data.has(key)) end[name] = data.get(key)!;
  const call = data.get('syscall') ?? '';
  if (data.has('socket_family')) {
    const told = Object.keys(end).length > 0 ? end : undefined;
    if (INCOMING.has(call)) return { source: told, direction: 'ingress' };
    if (OUTGOING.has(call)) return { destination: told, direction: 'egress' };
  }
  const ip = action?.from === undefined ? undefined : data.get(action.from);
  if (ip === undefined) return {};
  data.delete(action!.from!);
  return { source: { ip }, direction: 'ingress' };
}
