// what an audit event did, in words: by type of record and by call; the words are those of go-libaudit's summaries

export interface Action {
  readonly action?: string;
  /** What it was done to. */
  readonly what?: string;
  /** Names of fields, the first that is there counts. */
  readonly actor?: readonly string[];
  readonly secondActor?: readonly string[];
  readonly object?: readonly string[];
  readonly secondObject?: readonly string[];
  readonly how?: readonly string[];
  /** The field that names where it came from. */
  readonly from?: string;
  /** Which PATH is the object. */
  readonly pathIndex?: number;
}

type CallRow = readonly [action: string, what: string, calls: string, more?: Action];

const CALL_ROWS: readonly CallRow[] = [
  ['opened-file', 'file', 'open openat creat truncate ftruncate fallocate readlink readlinkat'],
  ['read-file', 'file', 'read'],
  ['wrote-to-file', 'file', 'write'],
  ['deleted', 'file', 'unlink unlinkat rmdir'],
  ['renamed', 'file', 'rename renameat renameat2', { pathIndex: 2 }],
  ['linked', 'file', 'link linkat'],
  ['symlinked', 'file', 'symlink symlinkat'],
  ['created-directory', 'file', 'mkdir mkdirat', { pathIndex: 1 }],
  ['make-device', 'file', 'mknod mknodat'],
  ['changed-file-permissions-of', 'file', 'chmod fchmod fchmodat'],
  ['changed-file-ownership-of', 'file', 'chown fchown lchown fchownat'],
  [
    'changed-file-attributes-of',
    'file',
    'setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr',
  ],
  ['changed-timestamp-of', 'file', 'utime utimes futimesat futimens utimensat'],
  [
    'checked-metadata-of',
    'file',
    'stat stat64 lstat fstat fstatat newfstatat access faccessat getxattr lgetxattr fgetxattr',
  ],
  ['checked-filesystem-metadata-of', 'filesystem', 'statfs fstatfs'],
  ['mounted', 'filesystem', 'mount', { pathIndex: 1 }],
  ['unmounted', 'filesystem', 'umount umount2'],
  ['loaded-kernel-module', 'file', 'init_module finit_module', { object: ['name'] }],
  ['unloaded-kernel-module', 'file', 'delete_module'],
  ['executed', 'file', 'execve execveat'],
  ['listen-for-connections', 'socket', 'listen'],
  ['accepted-connection-from', 'socket', 'accept accept4'],
  ['bound-socket', 'socket', 'bind'],
  ['connected-to', 'socket', 'connect'],
  ['received-from', 'socket', 'recv recvfrom recvmsg recvmmsg'],
  ['sent-to', 'socket', 'send sendto sendmsg sendmmsg'],
  ['killed-pid', 'process', 'kill tkill tgkill'],
  [
    'changed-identity-of',
    'process',
    'setuid seteuid setfsuid setreuid setresuid setgid setegid setfsgid setregid setresgid',
    { how: ['syscall'] },
  ],
  [
    'adjusted-scheduling-policy-of',
    'process',
    'sched_setparam sched_setscheduler sched_setattr',
    { how: ['syscall'] },
  ],
  ['end', 'process', 'exit_group', { how: ['syscall'] }],
  ['changed-system-time', 'system', 'settimeofday clock_settime stime adjtimex clock_adjtime'],
  ['changed-system-name', 'system', 'sethostname setdomainname'],
  ['allocated-memory', 'memory', 'mmap mmap2 brk'],
];

/** A person at a terminal, by a program. */
const SESSION: Action = {
  what: 'user-session',
  actor: ['auid'],
  secondActor: ['acct', 'id', 'uid'],
  object: ['terminal'],
  secondObject: ['addr', 'hostname'],
  how: ['exe', 'terminal'],
};
const ACCOUNT: Action = { what: 'account', object: ['id', 'acct'] };

const RECORDS: Readonly<Record<string, Action>> = {
  USER_LOGIN: { ...SESSION, action: 'logged-in', from: 'addr' },
  USER_LOGOUT: { ...SESSION, action: 'logged-out' },
  USER_START: { ...SESSION, action: 'started-session', from: 'addr' },
  USER_END: { ...SESSION, action: 'ended-session' },
  USER_AUTH: { ...SESSION, action: 'authenticated' },
  USER_ACCT: { ...SESSION, action: 'was-authorized' },
  USER_ERR: { ...SESSION, action: 'error', from: 'addr' },
  USER_CHAUTHTOK: { ...SESSION, action: 'changed-password' },
  USER_MGMT: { ...SESSION, action: 'modified-user-account' },
  USER_ROLE_CHANGE: { ...SESSION, action: 'changed-role-to', object: ['selected-context'] },
  CRED_ACQ: { ...SESSION, action: 'acquired-credentials' },
  CRED_DISP: { ...SESSION, action: 'disposed-credentials' },
  CRED_REFR: { ...SESSION, action: 'refreshed-credentials' },
  GRP_AUTH: { action: 'authenticated-to-group' },
  GRP_CHAUTHTOK: { ...SESSION, action: 'changed-group-password', object: ['acct'] },
  CRYPTO_KEY_USER: { ...SESSION, action: 'negotiated-crypto-key', object: ['fp'], from: 'addr' },
  CRYPTO_SESSION: {
    ...SESSION,
    action: 'started-crypto-session',
    object: ['addr'],
    secondObject: ['rport'],
    from: 'addr',
  },
  LOGIN: {
    action: 'changed-login-id-to',
    what: 'user-session',
    actor: ['old_auid', 'old-auid'],
    secondActor: ['uid'],
    object: ['new-auid', 'new_auid', 'auid'],
  },
  ADD_USER: { ...ACCOUNT, action: 'added-user-account' },
  DEL_USER: { ...ACCOUNT, action: 'deleted-user-account' },
  ADD_GROUP: { ...ACCOUNT, action: 'added-group-account-to' },
  DEL_GROUP: { ...ACCOUNT, action: 'deleted-group-account-from' },
  GRP_MGMT: { ...ACCOUNT, action: 'modified-group-account' },
  ACCT_LOCK: { action: 'locked-account' },
  ACCT_UNLOCK: { action: 'unlocked-account' },
  USER_CMD: { action: 'ran-command', what: 'process', object: ['cmd'] },
  USER: { action: 'sent-message', object: ['addr'] },
  TTY: { action: 'typed', what: 'keystrokes', object: ['data'], how: ['comm', 'exe'] },
  USER_TTY: { action: 'typed', what: 'keystrokes', object: ['data'], how: ['comm', 'exe'] },
  SERVICE_START: { action: 'started-service', what: 'service', object: ['unit'] },
  SERVICE_STOP: { action: 'stopped-service', what: 'service', object: ['unit'] },
  SYSTEM_BOOT: { action: 'booted-system', what: 'system' },
  SYSTEM_SHUTDOWN: { action: 'shutdown-system', what: 'system' },
  SYSTEM_RUNLEVEL: { action: 'changed-to-runlevel', what: 'system', object: ['new-level'] },
  CONFIG_CHANGE: {
    action: 'changed-audit-configuration',
    what: 'audit-config',
    object: ['op', 'key', 'audit_enabled', 'audit_pid', 'audit_backlog_limit', 'audit_failure'],
  },
  FEATURE_CHANGE: { action: 'changed-audit-feature', what: 'system', object: ['feature'] },
  DAEMON_START: { action: 'started-audit', what: 'service' },
  DAEMON_END: { action: 'shutdown-audit', what: 'service' },
  DAEMON_CONFIG: { action: 'changed-auditd-configuration', what: 'service' },
  DAEMON_ROTATE: { action: 'rotated-audit-logs', what: 'service' },
  NETFILTER_CFG: { action: 'loaded-firewall-rule-to', what: 'firewall', object: ['table'] },
  KERN_MODULE: { action: 'loaded-kernel-module', what: 'file', object: ['name'] },
  TIME_ADJNTPVAL: { action: 'changed-system-time', what: 'system' },
  TIME_INJOFFSET: { action: 'changed-system-time', what: 'system' },
  SECCOMP: { action: 'violated-seccomp-policy', what: 'process', object: ['syscall'] },
  MAC_POLICY_LOAD: { action: 'loaded-selinux-policy', what: 'mac-config' },
  MAC_STATUS: { action: 'changed-selinux-enforcement', what: 'mac-config', object: ['enforcing'] },
  MAC_CONFIG_CHANGE: { action: 'changed-selinux-boolean', what: 'mac-config', object: ['bool'] },
  ANOM_ABEND: {
    action: 'crashed-program',
    what: 'process',
    object: ['comm', 'exe'],
    secondObject: ['pid'],
    how: ['sig'],
  },
  ANOM_PROMISCUOUS: {
    action: 'changed-promiscuous-mode-on-device',
    what: 'network-device',
    object: ['dev'],
  },
};

const SELINUX: Action = {
  action: 'violated-selinux-policy',
  actor: ['scontext'],
  object: ['tcontext'],
  secondObject: ['tclass'],
};
const APPARMOR: Action = {
  action: 'violated-apparmor-policy',
  what: 'policy',
  object: ['operation'],
  secondObject: ['requested_mask', 'denied_mask', 'capname'],
};

let calls: ReadonlyMap<string, Action> | undefined;

/** Of the first record that is no SYSCALL; `call` is the call's name, `has` whether a field is there. */
export function actionOf(
  type: string,
  call: string | undefined,
  has: (field: string) => boolean,
): Action | undefined {
  if (type === 'AVC') return has('apparmor') ? APPARMOR : has('seresult') ? SELINUX : undefined;
  if (type !== 'SYSCALL') return Object.hasOwn(RECORDS, type) ? RECORDS[type] : undefined;
  calls ??= new Map(
    CALL_ROWS.flatMap(([action, what, names, more]) =>
      names.split(' ').map((name) => [name, { action, what, ...more }] as const),
    ),
  );
  return call === undefined ? undefined : calls.get(call);
}

/** Ranges of record types (linux/audit.h, libaudit.h), first fit. */
const CATEGORIES: readonly (readonly [first: number, last: number, name: string])[] = [
  [1100, 1106, 'user-login'],
  [1108, 1110, 'user-login'],
  [1112, 1113, 'user-login'],
  [1126, 1126, 'user-login'],
  [1114, 1117, 'user-account'],
  [1132, 1133, 'user-account'],
  [1135, 1136, 'user-account'],
  [2000, 2000, 'system-services'],
  [1127, 1131, 'system-services'],
  [1111, 1111, 'configuration'],
  [1305, 1305, 'configuration'],
  [1325, 1325, 'configuration'],
  [1328, 1329, 'configuration'],
  [1326, 1326, 'dac-decision'],
  [1119, 1121, 'user-space'],
  [1123, 1123, 'user-space'],
  [1125, 1125, 'user-space'],
  [1124, 1124, 'TTY'],
  [1319, 1319, 'TTY'],
  [1200, 1299, 'audit-daemon'],
  [1107, 1107, 'mac-decision'],
  [1122, 1122, 'mac-decision'],
  [1400, 1402, 'mac-decision'],
  [1502, 1503, 'mac-decision'],
  [1506, 1506, 'mac-decision'],
  [1800, 1899, 'integrity'],
  [2109, 2109, 'integrity'],
  [1700, 1799, 'anomaly'],
  [2100, 2199, 'anomaly'],
  [2200, 2299, 'anomaly-response'],
  [1403, 1501, 'mac'],
  [1504, 1505, 'mac'],
  [2300, 2399, 'mac'],
  [1600, 1699, 'crypto'],
  [2400, 2499, 'crypto'],
  [2500, 2599, 'virt'],
  [1300, 1304, 'audit-rule'],
  [1306, 1315, 'audit-rule'],
  [1317, 1318, 'audit-rule'],
  [1321, 1324, 'audit-rule'],
];

export const categoryOf = (typeNumber: number | undefined): string =>
  CATEGORIES.find(
    ([first, last]) => typeNumber !== undefined && typeNumber >= first && typeNumber <= last,
  )?.[2] ?? 'unknown';
