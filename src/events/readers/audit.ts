// audit records, from auditd's plugins or from the kernel log (record types of linux/audit.h)
import { commandKind } from '../commands.ts';
import type { Reader } from './reader.ts';

const RECORD =
  /^(?:audit: )?(?:node=\S+ )?(?:type=(\w+) (?:msg=)?|(\d{4}), )audit\((\d{1,12})\.(\d{3}):\d+\) ?: ?(.*)$/s;
/** Without auditd the kernel prints numbers. */
const TYPES: Readonly<Record<string, string>> = {
  1123: 'USER_CMD',
  1309: 'EXECVE',
  1325: 'NETFILTER_CFG',
  1327: 'PROCTITLE',
};
const MAX_ARGUMENTS = 128;

export const audit: Reader = (_program, message) => {
  const match = RECORD.exec(message);
  if (!match) return undefined;
  const [, name, number, seconds, milliseconds, fields] = match;
  const observedAtMs = Number(seconds) * 1000 + Number(milliseconds);
  switch (TYPES[name ?? number] ?? name) {
    case 'NETFILTER_CFG':
      // Loading a table's module registers it and changes no rule.
      return /\bop=(?:xt_register|register)\b/.test(fields)
        ? undefined
        : { kind: 'firewall-changed', observedAtMs };
    case 'EXECVE':
      return ran(execveArguments(fields), observedAtMs);
    case 'PROCTITLE':
      return ran(decoded(/\bproctitle=("[^"]*"|\S+)/.exec(fields)?.[1]), observedAtMs);
    case 'USER_CMD':
      return ran(decoded(/\bcmd=("[^"]*"|\S+)/.exec(fields)?.[1]), observedAtMs);
    default:
      return undefined;
  }
};

function ran(command: string | undefined, observedAtMs: number) {
  return command ? { kind: commandKind(command), command, observedAtMs } : undefined;
}

function execveArguments(fields: string): string {
  const found = fields.matchAll(/\ba\d{1,5}(?:\[\d{1,5}\])?=("[^"]*"|\S+)/g);
  return [...found.take(MAX_ARGUMENTS)].map(([, value]) => decoded(value)).join(' ');
}

/** A quoted value stands as it is; an unquoted one of hex digits is encoded, its arguments parted by NUL. */
function decoded(value: string | undefined): string {
  if (value === undefined) return '';
  if (value.startsWith('"')) return value.slice(1, -1);
  if (!/^(?:[0-9A-F]{2})+$/.test(value)) return value;
  return Buffer.from(value, 'hex').toString('utf8').replace(/\0/g, ' ').trim();
}
