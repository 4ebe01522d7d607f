// `config firewall service custom` and `group` of FortiOS -> protocols, destination and source ports by name
import { ANY_SERVICE, service } from '../../src/model/services.ts';
import { ANY_SOURCE_PORT } from '../../src/model/traffic.ts';
import { portRanges, protocols } from './boxes.ts';
import { FORTI_SERVICE_GROUPS, FORTI_SERVICES } from './fortios-service-table.ts';
import { entriesOf, type FortiEntry, type Sections, settingsOf } from './fortios-tree.ts';
import { type Definition, type NameTable, type ServiceBox, serviceTable } from './objects.ts';

type Services = NameTable<readonly ServiceBox[]>;
type ServiceDefinition = Definition<readonly ServiceBox[]>;

const ICMP = 1;
const ICMP6 = 58;
const PORT_SETTINGS: readonly (readonly [string, number])[] = [
  ['tcp-portrange', 6],
  ['udp-portrange', 17],
  ['udplite-portrange', 136],
  ['sctp-portrange', 132],
];

const anyPort = (services: readonly number[]): ServiceBox => ({ services, sourcePorts: ANY_SOURCE_PORT });

export function fortiServices(sections: Sections): Services {
  const definitions = new Map<string, ServiceDefinition>();
  for (const [name, text] of Object.entries(FORTI_SERVICES))
    definitions.set(name, { own: [predefinedService(text)], members: [], lines: [] });
  for (const [name, members] of Object.entries(FORTI_SERVICE_GROUPS))
    definitions.set(name, { own: [], members, lines: [] });
  for (const entry of entriesOf(sections, 'firewall service group'))
    definitions.set(entry.name, { own: [], members: settingsOf(entry, 'member'), lines: entry.lines });
  for (const entry of entriesOf(sections, 'firewall service custom'))
    definitions.set(entry.name, { ...customService(entry), members: [], lines: entry.lines });
  return serviceTable(definitions);
}

const NUMBERS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, icmp: ICMP, icmp6: ICMP6 };

function predefinedService(text: string): ServiceBox[] {
  if (text === 'ip') return [anyPort(ANY_SERVICE)];
  const words = text.split(' ');
  const boxes: ServiceBox[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const [first, last] = (words[i + 1] ?? '').split('-').map(Number);
    if (words[i] === 'ip') boxes.push(anyPort(protocols(first)));
    else if (words[i + 1] === undefined) boxes.push(anyPort(protocols(NUMBERS[words[i]])));
    else if (words[i].startsWith('icmp'))
      boxes.push(anyPort(service(NUMBERS[words[i]], [[first * 256, first * 256 + 255]])));
    else boxes.push(anyPort(service(NUMBERS[words[i]], [[first, last ?? first]])));
  }
  return boxes;
}

/** Setting another protocol, or unsetting the ICMP type, drops what hung on it before: the CLI does so in order. */
function customService(entry: FortiEntry): Pick<ServiceDefinition, 'own' | 'unresolved'> {
  const settings = new Map<string, readonly string[]>();
  let protocol = 'TCP/UDP/SCTP';
  for (const { verb, name, values } of entry.steps) {
    if (name === 'protocol') {
      if (values[0] !== protocol) settings.clear();
      protocol = verb === 'unset' ? 'TCP/UDP/SCTP' : (values[0] ?? protocol);
    } else if (verb === 'unset') {
      settings.delete(name);
      if (name === 'icmptype') settings.delete('icmpcode');
    } else settings.set(name, verb === 'append' ? [...(settings.get(name) ?? []), ...values] : values);
  }
  const limits = ['iprange', 'fqdn', 'application', 'app-category']
    .filter((name) => settings.has(name))
    .map((name) => `service ${entry.name}: ${name} ${settings.get(name)!.join(' ')}`);
  if (settings.get('app-service-type')?.[0] === 'app-id' && limits.length === 0)
    limits.push(`service ${entry.name} is of applications`);
  const boxes = boxesOf(protocol, settings);
  if (!boxes)
    return { own: [], unresolved: [`service ${entry.name}: ${protocol} is not readable`, ...limits] };
  // A service with further conditions is never all of its ports.
  return limits.length > 0 ? { own: [], unresolved: limits } : { own: [boxes] };
}

function boxesOf(
  protocol: string,
  settings: ReadonlyMap<string, readonly string[]>,
): ServiceBox[] | undefined {
  const number = (name: string) => {
    const text = settings.get(name)?.[0];
    return text === undefined
      ? undefined
      : /^\d{1,3}$/.test(text) && Number(text) < 256
        ? Number(text)
        : Number.NaN;
  };
  if (protocol === 'IP') {
    const given = number('protocol-number');
    if (Number.isNaN(given)) return undefined;
    // 0 stands for every protocol.
    return [anyPort(given ? protocols(given) : ANY_SERVICE)];
  }
  if (protocol === 'ICMP' || protocol === 'ICMP6') {
    const [type, code] = [number('icmptype'), number('icmpcode')];
    if (Number.isNaN(type) || Number.isNaN(code)) return undefined;
    const of = protocol === 'ICMP' ? ICMP : ICMP6;
    if (type === undefined) return [anyPort(protocols(of))];
    const first = type * 256 + (code ?? 0);
    return [anyPort(service(of, [[first, type * 256 + (code ?? 255)]]))];
  }
  if (protocol === 'ALL') return [anyPort(ANY_SERVICE)];
  if (!protocol.startsWith('TCP/UDP')) return undefined;
  const boxes: ServiceBox[] = [];
  for (const [name, of] of PORT_SETTINGS)
    for (const text of settings.get(name) ?? []) {
      const box = portBox(of, text);
      if (!box) return undefined;
      boxes.push(box);
    }
  return boxes;
}

/** "80", "80-90", "80:1024-65535": destination ports, and the source ports behind the colon. */
function portBox(protocol: number, text: string): ServiceBox | undefined {
  const [destination, source] = text.split(':').map(portPair);
  if (!destination || (text.includes(':') && !source)) return undefined;
  return {
    services: service(protocol, [destination]),
    sourcePorts: source ? portRanges([source]) : ANY_SOURCE_PORT,
  };
}

/** "80" or "80-90"; undefined where it is no range of ports. */
export function portPair(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= 65_535 ? [first, last] : undefined;
}
