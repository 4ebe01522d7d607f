// message of a log line -> one audit record (linux/audit.h; auditd's and ausearch's forms)
import { recordTypeName } from './audit-tables.ts';
import { readFields } from './fields.ts';

export interface AuditRecord {
  /** Its name; a number that has none here as UNKNOWN[n]. */
  readonly type: string;
  /** auditd's name_format. */
  readonly node: string;
  readonly observedAtMs: number;
  readonly serial: string;
  readonly text: string;
}

const RECORD =
  /^(?:audit: )?(?:node=(\S{1,255}) )?(?:type=(\w{1,40}(?:\[\d{1,5}\])?) (?:msg=)?|(\d{4}), )audit\((?:(\d{1,12})\.(\d{3})|(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)\.(\d{3})|(\d\d)\/(\d\d)\/(\d{4}) (\d\d:\d\d:\d\d)\.(\d{3})):(\d{1,20})\) ?:? ?(.*)$/s;
const LONGEST = 32_768;

export function readRecord(message: string): AuditRecord | undefined {
  if (message.indexOf('audit(') < 0) return undefined;
  const match = RECORD.exec(message);
  if (!match) return undefined;
  const [, node, name, number, seconds, ms, year, month, day, time, ms2, month3, day3, year3, time3, ms3] =
    match;
  const observedAtMs =
    seconds === undefined
      ? Date.parse(`${year ?? year3}-${month ?? month3}-${day ?? day3}T${time ?? time3}.${ms2 ?? ms3}Z`)
      : Number(seconds) * 1000 + Number(ms);
  if (!(observedAtMs >= 0 && observedAtMs < 4_102_444_800_000)) return undefined;
  const numeric = number ?? (/^\d{4}$/.test(name) ? name : /^UNKNOWN\[(\d{1,5})\]$/.exec(name)?.[1]);
  return {
    // Without auditd the kernel prints numbers.
    type: numeric === undefined ? name : (recordTypeName(Number(numeric)) ?? `UNKNOWN[${numeric}]`),
    node: node ?? '',
    observedAtMs,
    serial: match[16],
    text: match[17].slice(0, LONGEST),
  };
}

/** Types that the kernel emits as one of several; all others stand alone (libaudit's auparse). */
const SEVERAL =
  /^(?:SYSCALL|PATH|IPC|SOCKETCALL|CONFIG_CHANGE|SOCKADDR|CWD|EXECVE|IPC_SET_PERM|MQ_\w+|KERNEL_OTHER|FD_PAIR|OBJ_PID|TTY|BPRM_FCAPS|CAPSET|MMAP|NETFILTER_\w+|SECCOMP|PROCTITLE|FEATURE_CHANGE|REPLACE|KERN_MODULE|FANOTIFY|TIME_\w+|BPF|EVENT_LISTENER|URINGOP|OPENAT2|DM_CTRL|DM_EVENT|AVC|SELINUX_ERR|AVC_PATH|MAC_(?:POLICY_LOAD|STATUS|CONFIG_CHANGE)|INTEGRITY_\w+|ANOM_(?:PROMISCUOUS|ABEND|LINK|CREAT))$/;

export function standsAlone(type: string): boolean {
  const numbered = /^UNKNOWN\[(\d+)\]$/.exec(type);
  if (numbered) return Number(numbered[1]) < 1300 || Number(numbered[1]) >= 2100;
  return type !== 'EOE' && !SEVERAL.test(type);
}

/** Keys whose unquoted hexadecimal digits are an encoded text. */
const ENCODED =
  /^(?:comm|exe|cmd|proctitle|name|cwd|acct|key|path|data|vm|watch|(?:new|old)-(?:disk|chardev|rng|fs))$/;
const ARGUMENT = /^a\d{1,5}(?:\[\d{1,5}\])?$/;

const NONE = new Set(['?', '?,', '(null)']);

/** The kernel writes 8,970 characters at the most (MAX_AUDIT_MESSAGE_LENGTH), auditd enriches them by names. */
const MAX_RECORD = 16_384;

/** Fields of a record, decoded; `?` and (null) mean that there is none. */
export function recordFields({ type, text }: Pick<AuditRecord, 'type' | 'text'>): Map<string, string> {
  const quoted = new Set<string>();
  const record = text.slice(0, MAX_RECORD);
  // Before Linux 3.14: "old auid=1 new auid=2".
  const joined = type === 'LOGIN' ? record.replace(/\b(old|new) (auid|ses)=/g, '$1_$2=') : record;
  const fields = readFields(joined, quoted);
  for (const [key, value] of fields) {
    const isEncoded = ENCODED.test(key) || (type === 'EXECVE' && ARGUMENT.test(key));
    if (isEncoded && !quoted.has(key)) fields.set(key, decodeHex(value));
    if (!quoted.has(key) && NONE.has(value)) fields.delete(key);
  }
  return fields;
}

/** An unquoted value that is no hexadecimal stands as it is (a0=top). NUL parts arguments. */
export function decodeHex(value: string): string {
  // A quote that nothing opened is no part of it.
  const digits = value.endsWith('"') ? value.slice(0, -1) : value;
  if (!/^(?:[0-9A-F]{2})+$/.test(digits)) return value;
  return Buffer.from(digits, 'hex').toString('utf8').replace(/\0+$/, '').replace(/\0/g, ' ');
}
