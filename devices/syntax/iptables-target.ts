// the target of an iptables rule -> what it does
import { addressSet, unionAddresses } from '../../src/model/addresses.ts';
import type { RuleKind, Translation } from '../../src/model/rule.ts';
import type { Outcome } from './flatten.ts';
import type { Option } from './iptables-words.ts';

export interface Target {
  readonly outcomes: readonly Outcome[];
  readonly unresolved: readonly string[];
  readonly kind: RuleKind;
}

/** Targets after which the packet goes on to the next rule. */
const GOES_ON = new Set(
  'LOG NFLOG ULOG TRACE AUDIT MARK CONNMARK SECMARK CONNSECMARK CT NOTRACK DSCP TOS TTL HL ECN TCPMSS TCPOPTSTRIP CLASSIFY CHECKSUM SET IDLETIMER LED RATEEST FLOWOFFLOAD'.split(
    ' ',
  ),
);
const DECIDES: Readonly<Record<string, 'accept' | 'drop' | 'return'>> = {
  ACCEPT: 'accept',
  DROP: 'drop',
  REJECT: 'drop',
  TARPIT: 'drop',
  RETURN: 'return',
};

/** `target`: the word behind -j, with its options; undefined where it is not known. `isSource`: the chain is on the way out. */
export function targetOf(
  target: string,
  options: readonly Option[],
  direction: 'in' | 'out' | 'either',
): Target | undefined {
  const decides = Object.hasOwn(DECIDES, target) ? DECIDES[target] : undefined;
  if (decides) return { outcomes: [{ kind: decides }], unresolved: [], kind: 'filter' };
  if (GOES_ON.has(target)) return { outcomes: [], unresolved: [], kind: 'filter' };
  if (target === 'NFQUEUE' || target === 'QUEUE' || target === 'SYNPROXY')
    return { outcomes: [{ kind: 'accept' }], unresolved: [target], kind: 'filter' };
  const translations = translationsOf(target, options, direction);
  if (!translations) return undefined;
  const kind = target === 'TEE' ? 'mirror' : target === 'TPROXY' ? 'proxy' : 'nat';
  return { outcomes: translations, unresolved: [], kind };
}

function translationsOf(target: string, options: readonly Option[], direction: 'in' | 'out' | 'either') {
  const all = (name: string) =>
    options.filter((option) => option.name === name).map(({ values }) => values[0] ?? '');
  const first = (name: string) => all(name)[0];
  switch (target) {
    case 'DNAT':
      return through('destination-nat', 'destination', placeOf(all('--to-destination')));
    case 'SNAT':
    case 'SAME':
      return through('source-nat', 'source', placeOf([...all('--to-source'), ...all('--to')]));
    case 'MASQUERADE':
      return through('source-nat', 'source', portPlace(first('--to-ports')));
    case 'REDIRECT':
      return through('destination-nat', 'redirect', portPlace(first('--to-ports')));
    case 'TPROXY':
      return through('redirect', 'proxy', { ...placeOf(all('--on-ip')), ...portPlace(first('--on-port')) });
    case 'TEE':
      return through('redirect', 'mirror', placeOf(all('--gateway')), false);
    case 'NETMAP': {
      const place = placeOf(all('--to'));
      if (!place?.addresses) return undefined;
      // In a chain of one's own both ways are possible: each stage takes the translation that is meant for it.
      const inwards = through(
        'destination-nat',
        'destination',
        { ...place, offset: true },
        direction === 'in',
      );
      const outwards = through('source-nat', 'source', { ...place, offset: true });
      return direction === 'in' ? inwards : direction === 'out' ? outwards : [...inwards!, ...outwards!];
    }
    default:
      return undefined;
  }
}

type Place = Pick<Translation, 'addresses' | 'ports' | 'offset'>;

function through(
  stage: Extract<Outcome, { kind: 'translate' }>['stage'],
  kind: Translation['kind'],
  place: Place | undefined,
  final = true,
): Outcome[] | undefined {
  return place && [{ kind: 'translate', stage, translation: { kind, ...place }, final }];
}

function portPlace(ports: string | undefined): Place | undefined {
  if (ports === undefined || ports === '0') return {};
  const range = portRange(ports);
  return range && { ports: range };
}

function portRange(text: string): readonly [number, number] | undefined {
  // "80", "80-90"; behind a slash stands the port that the range begins to count at
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/\d{1,5})?$/.exec(text);
  if (!match) return undefined;
  const [low, high] = [Number(match[1]), Number(match[2] ?? match[1])];
  return low <= high && high <= 65_535 ? [low, high] : undefined;
}

/** "192.0.2.1", "192.0.2.1-192.0.2.9:80-90", "[2001:db8::1]:443", ":8080", "10.0.0.0/24"; several together. */
function placeOf(texts: readonly string[]): Place | undefined {
  const places: Place[] = [];
  for (const text of texts) {
    const place = onePlace(text);
    if (!place) return undefined;
    places.push(place);
  }
  const addresses = places.flatMap((place) => place.addresses ?? []);
  const ports = places.find((place) => place.ports)?.ports;
  return {
    ...(addresses.length ? { addresses: unionAddresses(...addresses) } : {}),
    ...(ports ? { ports } : {}),
  };
}

function onePlace(text: string): Place | undefined {
  const bracketed = /^\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(.+))?$/.exec(text);
  const plain =
    text.split(':').length > 2 ? [text, text, undefined] : (/^([^:]*)(?::(.+))?$/.exec(text) ?? []);
  const address = bracketed ? bracketed.slice(1, 3).filter(Boolean).join('-') : plain[1];
  const portText = bracketed ? bracketed[3] : plain[2];
  const ports = portText === undefined ? undefined : portRange(portText);
  if (portText !== undefined && !ports) return undefined;
  try {
    if (address === 'any') return undefined;
    return { ...(address ? { addresses: addressSet(address) } : {}), ...(ports ? { ports } : {}) };
  } catch {
    return undefined;
  }
}
