// an audit record -> its fields as people read them: names for numbers, results, contexts in parts
import { type AuditRecord, recordFields } from './audit-record.ts';
import { architectureName, callName, errorName, signalName } from './audit-tables.ts';
import { socketFields } from './sockaddr.ts';

export interface InterpretedRecord {
  readonly type: string;
  readonly fields: ReadonlyMap<string, string>;
  /** Of the audit rules that matched: `key=`. */
  readonly tags: readonly string[];
}

/** "avc:  denied  { read write } for  pid=1" */
const SELINUX_AVC = /^avc: {1,4}(\w{1,20}) {1,4}\{ {0,4}([\w ]{0,400}?) {0,4}\} {1,4}for {1,4}/;
const UNSET = new Set(['4294967295', '-1']);
const UNSET_KEYS = ['auid', 'old-auid', 'ses'];
const CONTEXT_PARTS = ['user', 'role', 'domain', 'level', 'category'];

/**
 * Of record type and fields; `res` and `success` become `result`, "success" or "fail"; `subj` and a PATH's `obj` become
 * `subj_user` and on; a SOCKADDR's `saddr` becomes family, addr and port. Fields without a value are left out.
 * Decoded values may hold control characters.
 */
export function interpretRecord(record: Pick<AuditRecord, 'type' | 'text'>): InterpretedRecord {
  const { type } = record;
  const avc = type === 'AVC' ? SELINUX_AVC.exec(record.text) : null;
  const text = avc ? record.text.slice(avc[0].length) : record.text;
  const fields = recordFields({ type, text });
  if (avc) fields.set('seresult', avc[1]).set('seperms', avc[2].split(/ +/).join(','));
  // An argument may be empty or a question mark.
  if (type !== 'EXECVE')
    for (const [key, value] of fields) if (value === '' || value === '?') fields.delete(key);
  for (const key of UNSET_KEYS) if (UNSET.has(fields.get(key) ?? '')) fields.set(key, 'unset');
  nameResult(fields);
  splitContext(fields, 'subj');
  if (type === 'PATH') splitContext(fields, 'obj');
  if (type === 'SYSCALL' || type === 'SECCOMP') nameCall(fields);
  const signal = type === 'SECCOMP' ? signalName(Number(fields.get('sig'))) : undefined;
  if (signal !== undefined) fields.set('sig', signal);
  if (type === 'SOCKADDR') nameSocket(fields);
  return { type, fields, tags: takeTags(fields) };
}

function nameResult(fields: Map<string, string>): void {
  const given = fields.get('success') ?? fields.get('res');
  if (given !== undefined) {
    if (!fields.delete('success')) fields.delete('res');
    fields.set('result', /^(?:yes$|1$|suc)/i.test(given) ? 'success' : 'fail');
  }
  const exit = /^-(\d{1,4})$/.exec(fields.get('exit') ?? '')?.[1];
  const name = exit === undefined ? undefined : errorName(Number(exit));
  if (name !== undefined) fields.set('exit', name);
}

/** user:role:domain:level:category; AppArmor's label has one part. */
function splitContext(fields: Map<string, string>, key: string): void {
  const context = fields.get(key);
  if (context === undefined) return;
  fields.delete(key);
  const parts = context.split(':');
  const last = CONTEXT_PARTS.length - 1;
  for (const [i, part] of [...parts.slice(0, last), parts.slice(last).join(':')].entries())
    if (part !== '') fields.set(`${key}_${CONTEXT_PARTS[i]}`, part);
}

function nameCall(fields: Map<string, string>): void {
  const arch = fields.get('arch') ?? '';
  const call = callName(arch, fields.get('syscall') ?? '');
  if (call !== undefined) fields.set('syscall', call);
  const name = architectureName(arch);
  if (name !== undefined) fields.set('arch', name);
}

function nameSocket(fields: Map<string, string>): void {
  const told = socketFields(fields.get('saddr') ?? '');
  if (!told) return;
  fields.delete('saddr');
  for (const [key, value] of told) fields.set(key, value);
}

/** Several keys of one event are parted by U+0001; one may be written key="key=net". */
function takeTags(fields: Map<string, string>): string[] {
  const key = fields.get('key');
  if (key === undefined) return [];
  fields.delete('key');
  return key
    .replace(/^key=/, '')
    .split(/[\u0001\ufffd]/)
    .filter((tag) => tag !== '');
}
