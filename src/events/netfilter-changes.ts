// an audited change of netfilter -> per table what was done, and whether something was taken away

import type { AuditRecord } from './audit-record.ts';
import { readRecord, recordFields } from './audit-record.ts';

export interface NetfilterChange {
  /** "xt_replace", "nft_unregister_rule"; undefined before Linux 5.8, when only replacing was told. */
  readonly operation?: string;
  /** Without generation and handle. */
  readonly table: string;
  /** Numbers that nft puts behind its tables: `table=raw:48`, or `filter:1;filter_FORWARD:85` with the chain. */
  readonly handle?: number;
  readonly chain?: string;
  /** "ip", "ip6", "inet", "arp", "bridge", "netdev", or the number. */
  readonly family: string;
  readonly entryCount?: number;
  readonly isRemoval: boolean;
}

/** Linux include/linux/netfilter.h (NFPROTO_*). */
const FAMILIES: Readonly<Record<string, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
  ipv4: 'ip',
  ipv6: 'ip6',
};

/** Loading a table's module registers it and changes no rule. */
const REGISTERED = /^(?:xt_register|register)$/;

/** Whether the operation takes something away. xt_replace may do either: its record does not say. */
export const isRemoval = (operation: string | undefined): boolean =>
  operation !== undefined && /^(?:nft_unregister|nft_destroy|(?:xt_)?unregister)/.test(operation);

/** Of the records of one event; registering a table is none. */
export function netfilterChanges(records: readonly AuditRecord[]): NetfilterChange[] {
  return records
    .filter(({ type }) => type === 'NETFILTER_CFG')
    .map(recordFields)
    .filter((fields) => !REGISTERED.test(fields.get('op') ?? ''))
    .map(changeOf);
}

/** Of an event, whose message holds its records. */
export function netfilterChangesOf(event: { readonly message: string }): NetfilterChange[] {
  if (!event.message.includes('audit(')) return [];
  return netfilterChanges(event.message.split('\n').flatMap((line) => readRecord(line) ?? []));
}

function changeOf(fields: ReadonlyMap<string, string>): NetfilterChange {
  const operation = fields.get('op');
  const [first, second] = (fields.get('table') ?? '').split(';', 2);
  const [table, handle] = parted(first);
  const chain = second === undefined ? undefined : parted(second)[0];
  const family = fields.get('family') ?? '';
  const entries = fields.get('entries') ?? '';
  return {
    operation,
    table,
    handle,
    chain: chain === '?' ? undefined : chain,
    family: FAMILIES[family] ?? family,
    entryCount: /^\d{1,10}$/.test(entries) ? Number(entries) : undefined,
    isRemoval: isRemoval(operation),
  };
}

function parted(text: string): [name: string, number?: number] {
  const match = /^(.*):(\d{1,10})$/.exec(text);
  return match ? [match[1], Number(match[2])] : [text];
}
