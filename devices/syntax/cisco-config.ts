// what the readers of an IOS configuration hand to the builders of rules; types only
import type { Policy, Rule } from '../../src/model/rule.ts';
import type { AccessList } from './cisco-acl.ts';
import type { CiscoInterface } from './cisco-interfaces.ts';
import type { Condition } from './cisco-region.ts';
import type { RouteMaps } from './cisco-route-maps.ts';

export interface Config {
  readonly interfaces: readonly CiscoInterface[];
  readonly byName: ReadonlyMap<string, CiscoInterface>;
  /** Interfaces that have tunnel statements. */
  readonly tunnels: readonly CiscoInterface[];
  /** By `family name`. */
  readonly lists: ReadonlyMap<string, AccessList>;
  /** Names of interfaces that are up, by `family list in|out`, `family route-map policy` and `side vrf`. */
  readonly bindings: ReadonlyMap<string, string[]>;
  readonly routeMaps: RouteMaps;
  /** What lists permit, as far as worked out. */
  readonly conditions: Map<string, Condition>;
  /** Makes a key unique. */
  readonly unique: (key: string) => string;
}

export interface Built {
  readonly rules: readonly Rule[];
  readonly policies: readonly Policy[];
}
