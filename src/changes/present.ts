// rule changes -> text for people, and the text form in which alerts and the API carry openings
import {
  type AddressSet,
  ANY_ADDRESS,
  ANY_V4,
  ANY_V6,
  formatAddresses,
  noAddresses,
  subtractAddresses,
} from '../model/addresses.ts';
import type { AlertOpening } from '../model/alert.ts';
import type { ChangeClass, Opening, RuleChange } from '../model/change.ts';
import type { Rule, Translation } from '../model/rule.ts';
import {
  ANY_SERVICE,
  formatServices,
  type ServiceSet,
  subtractServices,
  withPorts,
} from '../model/services.ts';
import { ANY_SOURCE_PORT, type NameSet } from '../model/traffic.ts';
import type { CommentChange } from './diff.ts';
import { linesOf, type Paint, visible } from './rule-lines.ts';
import { PORTED } from './translate.ts';

/** Openings and list items beyond these are counted, not shown, in text for people. */
const SHOWN_OPENINGS = 10;
const SHOWN_ITEMS = 6;

/** Sets as addressSet and serviceSet read them; `ports` as "443" or "8000-8010". */
export function presentOpening(opening: Opening): AlertOpening {
  const { traffic, destinationTranslation: to, sourceTranslation: source } = opening;
  return {
    sources: formatAddresses(traffic.sources),
    destinations: formatAddresses(traffic.destinations),
    services: formatServices(traffic.services),
    ...(to
      ? {
          translation: {
            kind: to.kind,
            addresses: to.addresses ? formatAddresses(to.addresses) : [],
            ...(to.ports ? { ports: portText(to.ports) } : {}),
          },
        }
      : {}),
    ...(source ? { sourceTranslation: source.addresses ? formatAddresses(source.addresses) : [] } : {}),
    ...(opening.conditional ? { conditional: true } : {}),
  };
}

export interface PresentedRule {
  readonly kind: string;
  readonly enabled: boolean;
  readonly lines: Rule['lines'];
}

export interface PresentedOpening extends AlertOpening {
  readonly class: string;
  readonly ruleKeys: readonly string[];
}

export interface PresentedChange {
  readonly kind: string;
  readonly class: string;
  readonly ruleKey: string;
  readonly before?: PresentedRule;
  readonly after?: PresentedRule;
  readonly opens: readonly PresentedOpening[];
  readonly closes: readonly PresentedOpening[];
  readonly approximate?: true;
}

/** For programs: everything, in plain JSON values. */
export function presentChange(change: RuleChange): PresentedChange {
  const rule = (of: Rule): PresentedRule => ({ kind: of.kind, enabled: of.enabled, lines: of.lines });
  const opening = (of: Opening): PresentedOpening => ({
    ...presentOpening(of),
    class: of.class,
    ruleKeys: of.ruleKeys,
  });
  return {
    kind: change.kind,
    class: change.class,
    ruleKey: change.ruleKey,
    ...(change.before ? { before: rule(change.before) } : {}),
    ...(change.after ? { after: rule(change.after) } : {}),
    opens: change.opens.map(opening),
    closes: change.closes.map(opening),
    ...(change.approximate ? { approximate: true } : {}),
  };
}

const plain: Paint = (_, text) => text;

const TITLES: Readonly<Record<ChangeClass, string>> = {
  'egress-relay': 'internal hosts reach an external address through this device',
  'egress-permit': 'internal hosts reach external addresses',
  'source-nat': 'only the address that traffic seems to come from',
  'inbound-forward': 'external hosts reach internal addresses',
  internal: 'nothing across the border of the site',
};

const APPROXIMATE =
  'too finely cut to follow exactly: at most what is listed here, and some of it may not be new';

export interface PresentedComment {
  readonly ruleKey: string;
  readonly before: { readonly comment?: string; readonly lines: Rule['lines'] };
  readonly after: { readonly comment?: string; readonly lines: Rule['lines'] };
}

export function presentComment({ before, after }: CommentChange): PresentedComment {
  const side = ({ comment, lines }: Rule) => ({ ...(comment === undefined ? {} : { comment }), lines });
  return { ruleKey: after.key, before: side(before), after: side(after) };
}

/** A paragraph for people, without a line end at its end. Text of the device comes out with control characters made visible. */
export function describeChange(change: RuleChange, paint: Paint = plain): string {
  const { before, after, opens, closes } = change;
  const what = [after?.kind ?? before?.kind ?? 'policy', 'rule', change.kind].join(' ');
  const style = change.class.startsWith('egress') && opens.length > 0 ? 'grave' : 'title';
  return [
    paint(style, `${change.class}: ${what} (${visible(change.ruleKey)}): ${TITLES[change.class]}`),
    ...linesOf(before, after, paint),
    ...listOf('now possible', 'grave', opens, paint),
    ...listOf('no longer possible', 'faint', closes, paint),
    ...(change.approximate ? [`  ${APPROXIMATE}`] : []),
    ...(opens.length + closes.length === 0 ? ['  no traffic fares differently'] : []),
  ].join('\n');
}

function listOf(
  label: string,
  style: 'grave' | 'faint',
  openings: readonly Opening[],
  paint: Paint,
): string[] {
  const shown = openings
    .slice(0, SHOWN_OPENINGS)
    .map((opening) => `  ${paint(style, `${label}:`)} ${describeOpening(opening)}`);
  const more = openings.length - shown.length;
  return more > 0 ? [...shown, `  ${label}: ${more} more; --json shows all`] : shown;
}

/** "10.20.0.0/24 -> 203.0.113.50 tcp/443 by destination NAT of 10.0.0.1 tcp/8443". */
export function describeOpening(opening: Opening): string {
  const { traffic, destinationTranslation: to, sourceTranslation, conditional } = opening;
  const sources = addressText(traffic.sources) + portsFrom(traffic.sourcePorts);
  const arriving = `${addressText(traffic.destinations)} ${serviceText(traffic.services)}`;
  const where = interfacesText(traffic.ingress, traffic.egress);
  const seenAs = sourceTranslation
    ? `, seen as ${sourceTranslation.addresses ? addressText(sourceTranslation.addresses) : "the device's own address"}`
    : '';
  const way = `${sources} -> ${to ? translatedText(to, arriving, traffic.services) : arriving}${where}${seenAs}`;
  return conditional ? `under conditions Postern cannot resolve: ${way}` : way;
}

function translatedText(to: Translation, arriving: string, services: ServiceSet): string {
  const address = to.addresses ? addressText(to.addresses) : undefined;
  const port = to.ports ? ` port ${portText(to.ports)}` : '';
  switch (to.kind) {
    case 'destination':
    case 'redirect':
      return address
        ? `${address} ${serviceText(portsAfter(services, to.ports))} by destination NAT of ${arriving}`
        : `the device itself${port} by redirect of ${arriving}`;
    case 'mirror':
      return `${arriving}, copied to ${address ?? 'where only the device knows'}`;
    default:
      return `${arriving} by ${to.kind.replace('-', ' ')} to ${address ?? 'where only the device knows'}${port}`;
  }
}

function portsAfter(services: ServiceSet, ports: Translation['ports']) {
  const ported = PORTED.some((protocol) => services[0] >> 16 === protocol);
  return ports && ported ? withPorts(services, ports[0], ports[1]) : services;
}

function portsFrom(ports: Opening['traffic']['sourcePorts']): string {
  if (ports.length === 2 && ports[0] === ANY_SOURCE_PORT[0] && ports[1] === ANY_SOURCE_PORT[1]) return '';
  const texts = ports.flatMap((first, i) => (i % 2 ? [] : [portText([first, ports[i + 1]])]));
  return ` (source port ${some(texts)})`;
}

function interfacesText(ingress: NameSet, egress: NameSet): string {
  const text = (label: string, { except, names }: NameSet) =>
    except && names.length === 0 ? '' : `${label}${except ? ' any but' : ''} ${some(names.map(visible))}`;
  const parts = [text('in', ingress), text('out', egress)].filter((part) => part !== '');
  return parts.length > 0 ? ` (${parts.join(', ')})` : '';
}

const portText = ([first, last]: readonly [number, number]): string =>
  first === last ? `${first}` : `${first}-${last}`;

function some(texts: readonly string[]): string {
  const more = texts.length - SHOWN_ITEMS;
  return more > 1 ? `${texts.slice(0, SHOWN_ITEMS).join(', ')} and ${more} more` : texts.join(', ');
}

/** The shorter of the list and "any but" what is left out; of one family where the set has only one. */
function addressText(set: AddressSet): string {
  const family = set.v6.length === 0 ? ANY_V4 : set.v4.length === 0 ? ANY_V6 : ANY_ADDRESS;
  const left = subtractAddresses(family, set);
  const whole = formatAddresses(family).join();
  const shorter = countRanges(left) < countRanges(set);
  if (noAddresses(left) || !shorter) return some(formatAddresses(set));
  return `${whole} but ${some(formatAddresses(left))}`;
}

const countRanges = (set: AddressSet) => set.v4.length + set.v6.length;

function serviceText(set: ServiceSet): string {
  const own = formatServices(set);
  const left = own.length > SHOWN_ITEMS ? formatServices(subtractServices(ANY_SERVICE, set)) : own;
  return left.length < own.length ? `any but ${some(left)}` : some(own);
}
