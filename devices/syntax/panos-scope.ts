// sections of a PAN-OS text -> the scopes in which rules are met: virtual systems, or device groups of a Panorama
import type { AddressSet } from '../../src/model/addresses.ts';
import { PROTOCOLS, type ServiceSet, service, unionServices } from '../../src/model/services.ts';
import { ANY_NAME, type NameSet, names } from '../../src/model/traffic.ts';
import type { NameTable } from './objects.ts';
import { addressNames, type Layers } from './panos-address.ts';
import { last, type PanosSections } from './panos-config.ts';
import { portsOf, type ServiceNames, serviceNames } from './panos-service.ts';
import { grow } from './panos-text.ts';
import { at, list, type WordTree, words } from './tree.ts';

export type Place = 'pre' | 'local' | 'post';

/** A rulebase that packets of a scope meet, and the scope in which it is written. */
export interface Rulebase {
  readonly place: Place;
  readonly node: WordTree;
  readonly owner: Scope;
  /** Who wrote it: a virtual system, a device group, "shared", "pushed". */
  readonly author: string;
}

export interface Scope {
  /** "vsys1", a device group's name, "shared". */
  readonly id: string;
  /** In the order in which packets meet them. */
  readonly rulebases: readonly Rulebase[];
  readonly addresses: NameTable<AddressSet>;
  readonly services: ServiceNames;
  /** What a zone stands for; a zone that is not in the text stands for itself. */
  readonly namesOf: (zone: string) => readonly string[];
  readonly zones: readonly string[];
  /** Packets that are met here. */
  readonly ingress: NameSet;
}

/** Device groups nest four deep. */
const MAX_PARENTS = 8;
/** Rulebases over all device groups: a Panorama has at most 1,024 of them. */
const MAX_SCOPES = 1_024;

export function scopesOf(sections: PanosSections): Scope[] {
  const groups = list(sections, 'device-group');
  const made = groups.length > 0 ? panoramaScopes(sections, groups) : [];
  const systems = list(sections, 'vsys').filter(
    (node) => groups.length === 0 || node.children.has('rulebase') || node.children.has('zone'),
  );
  const shared = at(sections, 'shared') ?? at(sections, 'pushed');
  if (systems.length + groups.length === 0 && shared) systems.push(grow('shared'));
  const own = systems.map((node) => systemScope(sections, node, systems.length + groups.length > 1));
  return [...own, ...made];
}

const MEMBER_KINDS = ['layer3', 'layer2', 'virtual-wire', 'tap', 'tunnel', 'external'];

/** The interfaces of a zone by its name. */
function zoneMembers(
  nodes: readonly WordTree[],
  prefix: string,
  own = prefix,
): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const node of nodes.toReversed())
    for (const zone of list(node, 'zone')) {
      const members = MEMBER_KINDS.filter((kind) => kind !== 'external').flatMap((kind) =>
        words(zone, 'network', kind),
      );
      found.set(zone.word, members.length > 0 ? members.map((name) => prefix + name) : [own + zone.word]);
    }
  return found;
}

interface Written {
  readonly node: WordTree;
  readonly author: string;
  readonly owner?: Scope;
}

interface Parts {
  readonly id: string;
  readonly layers: Layers;
  readonly zones: ReadonlyMap<string, readonly string[]>;
  readonly prefix: string;
  readonly isOneOfMany: boolean;
  readonly pre: readonly Written[];
  readonly local?: WordTree;
  readonly post: readonly Written[];
}

function makeScope({ id, layers, zones, prefix, isOneOfMany, pre, local, post }: Parts): Scope {
  const rulebases: Rulebase[] = [];
  const nodes = [...pre.map(({ node }) => node), ...(local ? [local] : []), ...post.map(({ node }) => node)];
  const overrides = overridesOf(nodes);
  const seen = new Set([...zones.keys(), ...nodes.flatMap(zonesIn)]);
  const namesOf = (zone: string) => zones.get(zone) ?? [prefix + zone];
  const scope: Scope = {
    id,
    rulebases,
    addresses: addressNames(layers),
    services: serviceNames(layers, overrides),
    namesOf,
    zones: [...seen],
    ingress: isOneOfMany ? names(...[...seen].flatMap(namesOf)) : ANY_NAME,
  };
  for (const { owner = scope, ...one } of pre) rulebases.push({ place: 'pre', owner, ...one });
  if (local) rulebases.push({ place: 'local', node: local, owner: scope, author: id });
  for (const { owner = scope, ...one } of post) rulebases.push({ place: 'post', owner, ...one });
  return scope;
}

function zonesIn(rulebase: WordTree): string[] {
  return ['security', 'nat'].flatMap((kind) =>
    list(rulebase, kind, 'rules').flatMap((rule) =>
      [...words(rule, 'from'), ...words(rule, 'to')].filter((zone) => zone !== 'any' && zone !== 'multicast'),
    ),
  );
}

/** Ports on which `application-override` rules assign an App-ID. */
function overridesOf(rulebases: readonly WordTree[]): Map<string, ServiceSet> {
  const found = new Map<string, ServiceSet>();
  for (const node of rulebases)
    for (const rule of list(node, 'application-override', 'rules')) {
      const name = last(rule, 'application');
      const protocol = PROTOCOLS[last(rule, 'protocol') ?? ''];
      const ports = portsOf(last(rule, 'port'));
      if (name === undefined || protocol === undefined || !ports) continue;
      found.set(name, unionServices(found.get(name) ?? [], service(protocol, ports)));
    }
  return found;
}

const nodesAt = (parents: readonly (WordTree | undefined)[], name: string) =>
  parents.flatMap((parent) => {
    const node = at(parent, name);
    return node && parent ? [{ node, author: parent.word }] : [];
  });

function systemScope(sections: PanosSections, system: WordTree, isOneOfMany: boolean): Scope {
  const pushed = at(sections, 'pushed');
  const shared = at(sections, 'shared');
  const layers = [system, pushed, shared].filter((node) => node !== undefined);
  return makeScope({
    id: system.word,
    layers,
    zones: zoneMembers(layers, '', isOneOfMany ? `${system.word}:` : ''),
    prefix: isOneOfMany ? `${system.word}:` : '',
    isOneOfMany,
    pre: nodesAt([shared, pushed, system], 'pre-rulebase'),
    ...(at(system, 'rulebase') ? { local: at(system, 'rulebase')! } : {}),
    post: nodesAt([system, pushed, shared], 'post-rulebase'),
  });
}

/** A scope for each device group that has devices or no children; the others, and `shared`, only hold rules and objects. */
function panoramaScopes(sections: PanosSections, groups: readonly WordTree[]): Scope[] {
  const shared = at(sections, 'shared');
  const parentOf = parentsOf(sections);
  const parents = new Set(groups.flatMap(({ word }) => parentOf(word) ?? []));
  const byName = new Map(groups.map((group) => [group.word, group]));
  const holders = new Map<WordTree, Scope>();
  const holder = (node: WordTree, id: string, layers: Layers): Scope => {
    const known = holders.get(node);
    if (known) return known;
    const made = makeScope({
      id,
      layers,
      zones: new Map(),
      prefix: '',
      isOneOfMany: true,
      pre: [],
      post: [],
    });
    holders.set(node, made);
    return made;
  };
  const scopes = groups.slice(0, MAX_SCOPES).flatMap((group) => {
    const chain: WordTree[] = [group];
    for (
      let name = parentOf(group.word);
      name !== undefined && chain.length < MAX_PARENTS;
      name = parentOf(name)
    ) {
      const parent = byName.get(name);
      if (!parent || chain.includes(parent)) break;
      chain.push(parent);
    }
    const layers = [...chain, ...(shared ? [shared] : [])];
    const owned = (name: string, nodes: readonly WordTree[]) =>
      nodes.flatMap((node) => {
        const rulebase = at(node, name);
        const above = layers.slice(layers.indexOf(node));
        if (!rulebase) return [];
        return [
          {
            node: rulebase,
            author: node.word,
            ...(node === group ? {} : { owner: holder(node, node.word, above) }),
          },
        ];
      });
    if (parents.has(group.word) && words(group, 'devices').length === 0) return [];
    return [
      makeScope({
        id: group.word,
        layers,
        zones: zoneMembers(templatesOf(sections, group).flatMap(systemsOf), `${group.word}:`),
        prefix: `${group.word}:`,
        isOneOfMany: true,
        pre: owned('pre-rulebase', layers.toReversed()),
        post: owned('post-rulebase', layers),
      }),
    ];
  });
  return scopes;
}

/** Panorama keeps the hierarchy in its read-only part. */
function parentsOf(sections: PanosSections): (group: string) => string | undefined {
  const found = new Map<string, string>();
  for (const device of list(sections, 'readonly', 'devices'))
    for (const group of list(device, 'device-group')) {
      const parent = last(group, 'parent-dg');
      if (parent !== undefined) found.set(group.word, parent);
    }
  return (group) => found.get(group);
}

const systemsOf = (template: WordTree): readonly WordTree[] =>
  list(template, 'config', 'devices').flatMap((device) => list(device, 'vsys'));

/** The template stacks and templates that the devices of a group get, nearest first. */
function templatesOf(sections: PanosSections, group: WordTree): WordTree[] {
  const devices = new Set(words(group, 'devices'));
  const isFor = (node: WordTree) => words(node, 'devices').some((serial) => devices.has(serial));
  const stacks = list(sections, 'template-stack').filter(isFor);
  const templates = stacks.flatMap((stack) => words(stack, 'templates'));
  const named = templates.flatMap((name) => at(sections, 'template', name) ?? []);
  return [...new Set([...stacks, ...named, ...list(sections, 'template').filter(isFor)])];
}

/** What interfaces of a template are called: by the device groups that get it, else by its own name. */
export function templatePrefixes(sections: PanosSections): (template: WordTree) => string[] {
  const users = list(sections, 'device-group').map((group) => ({
    prefix: `${group.word}:`,
    templates: new Set(templatesOf(sections, group)),
  }));
  return (template) => {
    const found = users.filter(({ templates }) => templates.has(template)).map(({ prefix }) => prefix);
    return found.length > 0 ? found : [`${template.word}:`];
  };
}
