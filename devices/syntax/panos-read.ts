// configuration text of PAN-OS (curly, set or XML; firewall or Panorama) -> rules
import type { DeviceInterface, RuleSet } from '../../src/model/rule.ts';
import { assemble } from './assemble.ts';
import { last, sectionsOf } from './panos-config.ts';
import { readNat } from './panos-nat.ts';
import { interfacesOf, lookupIn, tunnelsOf } from './panos-network.ts';
import type { Reader } from './panos-reader.ts';
import { type Scope, scopesOf, templatePrefixes } from './panos-scope.ts';
import { readOverrides, readSecurity } from './panos-security.ts';
import { readPanosText } from './panos-text.ts';
import { type Place, readForwarding, readMirrors, readProxies, readTunnels } from './panos-ways.ts';
import { at, linesUnder, list, type WordTree } from './tree.ts';

const READ = new Set('security nat pbf decryption application-override default-security-rules'.split(' '));
/** What forwards nothing and lets nothing through. */
const QUIET = new Set('qos dos authentication captive-portal tunnel-inspect'.split(' '));

/** Never throws. Order of the text: files keep rules as they are met, and `move` lines of set form are obeyed. */
export function readPanos(text: string): RuleSet {
  const { tree, strange } = readPanosText(text);
  const sections = sectionsOf(tree);
  const assembly = assemble();
  const reader: Reader = { assembly, made: new Map() };
  assembly.notUnderstood(...strange);
  const scopes = scopesOf(sections);
  const lookup = lookupIn(scopes[0]?.addresses);
  const network = at(sections, 'network');
  const interfaces = interfacesOf(network, lookup);
  const byName = new Map(interfaces.map((one): [string, DeviceInterface] => [one.name, one]));
  const options = { interfaces: byName, deviceId: deviceIdOf(sections) };
  for (const scope of scopes) readNat(scope, reader, options);
  // Forwarding rules are asked before routes are.
  const tunnels = tunnelsOf(network, lookup);
  for (const scope of scopes) readForwarding(scope, reader, tunnels, lookup);
  readTunnels(network, tunnels, OWN, reader, lookup);
  readProxies(network, OWN, reader, lookup);
  for (const scope of scopes) {
    readMirrors(
      scope,
      [
        at(sections, 'vsys', scope.id),
        at(sections, 'device-group', scope.id),
        at(sections, 'pushed'),
        at(sections, 'shared'),
      ],
      reader,
    );
    readOverrides(scope, reader);
    readSecurity(scope, reader);
    reportSections(scope, reader);
  }
  const prefixesOf = templatePrefixes(sections);
  for (const kind of ['template-stack', 'template'])
    for (const template of list(sections, kind))
      interfaces.push(...readTemplate(template, prefixesOf(template), reader));
  return assembly.result(interfaces);
}

const OWN: Place = { prefix: '', namesOf: (name) => [name] };

/** Tunnels and routes that a Panorama hands out. */
function readTemplate(template: WordTree, prefixes: readonly string[], reader: Reader): DeviceInterface[] {
  const place: Place = {
    prefix: `${template.word}:`,
    namesOf: (name) => prefixes.map((prefix) => prefix + name),
  };
  return list(template, 'config', 'devices').flatMap((device) => {
    const network = at(device, 'network');
    const lookup = lookupIn(undefined);
    readTunnels(network, tunnelsOf(network, lookup), place, reader, lookup);
    readProxies(network, place, reader, lookup);
    return interfacesOf(network, lookup).flatMap((one) =>
      place.namesOf(one.name).map((name) => ({ ...one, name })),
    );
  });
}

const deviceIdOf = (sections: WordTree): string | undefined => {
  const group = at(sections, 'deviceconfig', 'high-availability', 'group');
  // Before PAN-OS 8.1 a group has a number of its own.
  return (
    last(group, 'mode', 'active-active', 'device-id') ??
    list(group).flatMap((node) => last(node, 'mode', 'active-active', 'device-id') ?? [])[0]
  );
};

function reportSections(scope: Scope, reader: Reader): void {
  for (const { node, owner } of scope.rulebases) {
    if (owner !== scope && reader.made.has(node)) continue;
    for (const kind of list(node))
      if (!READ.has(kind.word) && !QUIET.has(kind.word))
        for (const rule of kind.children.values()) reader.assembly.notUnderstood(...linesUnder(rule));
  }
}
