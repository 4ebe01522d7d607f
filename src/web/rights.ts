// role -> what it may do, as data
import type { Role } from '../store/postgres/schema.ts';

const RIGHTS = [
  'devices:read',
  'devices:write',
  'hosts:read',
  'hosts:write',
  'snapshots:read',
  'snapshots:write',
  'changes:read',
  'changes:reconcile',
  'tickets:read',
  'tickets:write',
  'forwards:read',
  'forwards:write',
  'alerts:read',
  'alerts:decide',
  'endpoints:read',
  'endpoints:write',
  'exporters:read',
  'flows:read',
  'events:read',
  'coverage:read',
  'enrichment:read',
  'metrics:read',
  'keys:read',
  'keys:write',
  'audit:read',
] as const;
export type Right = (typeof RIGHTS)[number];

const READS = RIGHTS.filter((right) => right.endsWith(':read'));

/** Whoever registers devices does not reconcile their changes, and whoever reconciles never sees a configuration; analysts see what an alert rests on, but no configurations. */
const GRANTS: Readonly<Record<Role, readonly Right[]>> = {
  admin: RIGHTS,
  network: [
    'devices:read',
    'devices:write',
    'hosts:read',
    'hosts:write',
    'snapshots:read',
    'snapshots:write',
    'changes:read',
    'alerts:read',
    'exporters:read',
    'flows:read',
    'events:read',
    'coverage:read',
    'enrichment:read',
    'metrics:read',
  ],
  soc: [
    'alerts:read',
    'alerts:decide',
    'endpoints:read',
    'endpoints:write',
    'changes:read',
    'devices:read',
    'hosts:read',
    'tickets:read',
    'forwards:read',
    'exporters:read',
    'flows:read',
    'events:read',
    'coverage:read',
    'enrichment:read',
    'metrics:read',
  ],
  change: [
    'changes:read',
    'changes:reconcile',
    'tickets:read',
    'tickets:write',
    'forwards:read',
    'forwards:write',
    'metrics:read',
  ],
  auditor: READS,
  'tickets-only': ['tickets:write'],
  'snapshots-only': ['snapshots:write'],
};

export const ROLES = Object.keys(GRANTS) as Role[];

export const mayDo = (role: Role, right: Right): boolean => GRANTS[role].includes(right);
