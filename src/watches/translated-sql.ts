// a question's scope + events of address translation -> its scope with what its hosts did behind translated addresses
//
// An exporter outside of a translation shows one address for many hosts. Who it was is told by the events of the translating
// device (RFC 8158, NSEL): by session, where they name the destination; where they name bindings or blocks of ports only, an
// address stands for a host while no other host has it.
import type { ClickHouseClient } from '@clickhouse/client';
import {
  type AddressSet,
  addressSet,
  intersectAddresses,
  noAddresses,
  unionAddresses,
} from '../model/addresses.ts';
import type { Question } from '../model/watch.ts';
import type { Frame } from './evidence-sql.ts';
import { rangeCondition } from './ranges-sql.ts';

/** Addresses that hosts of S appear as; those of the latest events. */
const MAX_ADDRESSES = 256;
/** Of these addresses, by all hosts. */
const MAX_EVENTS = 200_000;
/** Conversations of these addresses, and of S with what these spoke to: what sets of a question can hold. */
const MAX_ROWS = 5_000_000;
const MAX_INSIDE = 2_000_000;
/** Minutes of sessions that a set holds without asking which of them flows show. */
const MAX_MINUTES = 2_000_000;
const DAY_SECONDS = 86_400;
/** A translation whose end nobody told lasts so long: a session, and a binding or a block of ports. */
const HELD_SESSION = DAY_SECONDS;
const HELD_BINDING = 7 * DAY_SECONDS;
/** Clocks of two exporters differ, and minutes are whole. */
const SLACK = 60;
/** Who has an address is asked for so many seconds at once. */
const SLOT = 600;
const MAX_NOTES = 5;

export interface Translated {
  /** Takes the place of Frame.scope. */
  readonly scope: string;
  /** What cannot be told. */
  readonly gaps: readonly string[];
}

/**
 * Without events about the hosts of S, and without flows of what rules translate them to, the
 * scope as it is. What an exporter inside shows too counts once. An address that rules name loses what events say was done by
 * others only.
 */
export async function translatedScope(
  client: ClickHouseClient,
  frame: Frame,
  { scope, translated: byRules = [] }: Pick<Question, 'scope' | 'translated'>,
): Promise<Translated> {
  const { addresses, gaps } = await addressesOf(client, frame);
  const all = unionAddresses(addressSet(...addresses), addressSet(...byRules));
  if (noAddresses(all)) return { scope: frame.scope, gaps };
  const places = placesOf(frame, all);
  const seen = await atMost(client, MAX_ROWS, `conversations WHERE ${places.seen}`);
  if (seen === 0) return { scope: frame.scope, gaps };
  if (seen > MAX_ROWS)
    return {
      scope: frame.scope,
      gaps: [...gaps, `too many flows outside of address translation to join them to hosts`],
    };
  const inside = await atMost(client, MAX_INSIDE, `conversations WHERE ${places.inside}`);
  const isTwice = inside > MAX_INSIDE;
  if (isTwice)
    gaps.push(
      'what flows show inside and outside of address translation is counted twice: there are too many',
    );
  const shown = isTwice || inside === 0 ? '0' : shownInside(places);
  const onceInside = `(${frame.scope} AND NOT (${places.behind} AND ${shown}))`;
  if (addresses.length === 0) return { scope: onceInside, gaps };
  if ((await atMost(client, MAX_EVENTS, `translations WHERE ${places.told}`)) > MAX_EVENTS)
    return {
      scope: onceInside,
      gaps: [...gaps, 'too many events of address translation to join flows outside of it to hosts'],
    };
  const told = await toldOf(client, frame, places);
  const isNamedByRules = !noAddresses(intersectAddresses(all, addressSet(...scope)));
  const parts = partsOf(frame, places, shown, told, isNamedByRules);
  return { scope: parts.scope, gaps: [...gaps, ...(await sharedNotes(client, frame, parts))] };
}

async function addressesOf(
  client: ClickHouseClient,
  frame: Frame,
): Promise<{ addresses: string[]; gaps: string[] }> {
  const inScope = frame.scope.replaceAll('internal BETWEEN', 'translated BETWEEN');
  const found = await rows<{ address: string }>(
    client,
    `SELECT toString(translated) AS address FROM translations
     WHERE ${within(frame)} AND (${frame.scope} OR ${inScope})
     GROUP BY translated ORDER BY max(at) DESC, translated LIMIT ${MAX_ADDRESSES + 1}`,
  );
  const gaps =
    found.length > MAX_ADDRESSES
      ? [`hosts appear as more than ${MAX_ADDRESSES} addresses: flows of the others are not joined to them`]
      : [];
  return { addresses: found.slice(0, MAX_ADDRESSES).map(({ address }) => plain(address)), gaps };
}

const within = ({ baselineFrom, until }: Frame) =>
  `at >= toDateTime(${int(baselineFrom - HELD_BINDING)}) AND at <= toDateTime(${int(until + 1)})`;

const windowOf = ({ baselineFrom, until }: Frame) =>
  `minute >= toDateTime(${int(baselineFrom)}) AND minute <= toDateTime(${int(until)})`;

/** Conditions, all of them. */
interface Places {
  /** Conversations of an address that S appears as. */
  readonly behind: string;
  /** The same, of the question's exporters and time. */
  readonly seen: string;
  /** Conversations of S itself with what these addresses spoke to. */
  readonly inside: string;
  /** Events of all hosts that appear as these addresses. */
  readonly told: string;
}

function placesOf(frame: Frame, addresses: AddressSet): Places {
  const behind = rangeCondition('internal', addresses);
  const seen = `${behind} AND ${frame.exporters} AND ${windowOf(frame)}`;
  return {
    behind,
    seen,
    inside: `${frame.scope} AND NOT ${behind} AND ${frame.exporters} AND ${windowOf(frame)}
      AND external IN (SELECT external FROM conversations WHERE ${seen})`,
    told: `${within(frame)} AND ${rangeCondition('translated', addresses)}`,
  };
}

/** An exporter inside shows the same minute, or the one before or after: clocks differ. */
function shownInside({ inside }: Places): string {
  const hash = (minute: string) => `cityHash64(external, external_port, protocol, toUInt32(${minute}))`;
  return `${hash('intDiv(toUnixTimestamp(minute), 60)')} IN (
    SELECT arrayJoin([${['unit - 1', 'unit', 'unit + 1'].map(hash).join(', ')}])
    FROM (SELECT external, external_port, protocol, intDiv(toUnixTimestamp(minute), 60) AS unit FROM conversations WHERE ${inside}))`;
}

interface Parts {
  readonly scope: string;
  /** Conversations that may be of S, or not. */
  readonly shared: string;
}

/** A minute of a conversation, and some minutes of an address, as numbers: sets of these take little. */
const sessionKey = (address: string, unit: string) =>
  `cityHash64(${address}, external, external_port, protocol, toUInt32(${unit}))`;
const holdingKey = (address: string, unit: string) => `cityHash64(${address}, toUInt32(${unit}))`;
const SESSION = sessionKey('internal', 'intDiv(toUnixTimestamp(minute), 60)');
const HOLDING = holdingKey('internal', `intDiv(toUnixTimestamp(minute), ${SLOT})`);

/** What there is to be asked for; what is not costs nothing. */
interface Told {
  /** Minutes of all sessions. */
  readonly minutes: number;
  /** Of bindings and blocks of ports. */
  readonly bindings: number;
}

async function toldOf(client: ClickHouseClient, frame: Frame, { told }: Places): Promise<Told> {
  const [row] = await rows<{ minutes: string; bindings: string }>(
    client,
    `SELECT sumIf(intDiv(greatest(0, least(until, ${int(frame.until)}) - greatest(since, ${int(frame.baselineFrom)})), 60) + 3, is_named) AS minutes,
       countIf(NOT is_named) AS bindings FROM (${spansOf(frame, told)})`,
  );
  return { minutes: Number(row.minutes), bindings: Number(row.bindings) };
}

function partsOf(
  frame: Frame,
  { behind, seen, told }: Places,
  shown: string,
  { minutes, bindings }: Told,
  isNamedByRules: boolean,
): Parts {
  const only = minutes > MAX_MINUTES ? seen : undefined;
  // Of an address that rules name, all who spoke behind it matter; of others, those who spoke to what S spoke to.
  const sessions = spansOf(frame, isNamedByRules ? told : `${told} AND ${sameAsOwn(frame)}`);
  const session = (having: string) =>
    minutes > 0 ? `${SESSION} IN (${sessionsWhere(frame, sessions, only, having)})` : '0';
  const holding = (having: string) =>
    bindings > 0 ? `${HOLDING} IN (${holdingsWhere(frame, spansOf(frame, told), having)})` : '0';
  const ofS = session('min(is_own) = 1');
  const ofOthers = session('max(is_own) = 0');
  const named = isNamedByRules ? `(${frame.scope} AND NOT ${ofOthers})` : '0';
  const isMine = `${ofS} OR ${holding('min(is_own) = 1 AND max(is_own AND NOT is_named) = 1')} OR ${named}`;
  return {
    scope: `((${frame.scope} AND NOT ${behind}) OR (${behind} AND NOT ${shown} AND (${isMine})))`,
    shared: `${behind} AND NOT ${shown} AND NOT ${ofOthers} AND NOT ${ofS} AND (${session('min(is_own) = 0 AND max(is_own) = 1')}
      OR ${holding('min(is_own) = 0 AND max(is_own AND NOT is_named) = 1')})`,
  };
}

function sameAsOwn(frame: Frame): string {
  const key = 'cityHash64(translated, external, external_port, protocol)';
  return `${key} IN (SELECT ${key} FROM translations WHERE ${within(frame)} AND ${frame.scope})`;
}

/** From when until when a host had what an event names. A begin that follows a begin of the same ends it; so does its end. */
function spansOf(frame: Frame, told: string): string {
  return `
    SELECT is_own, is_named, translated, external, external_port, protocol,
      if(event = 'created', moment, moment - held) AS since,
      multiIf(event = 'deleted', moment, next = 0, moment + held, is_ended, next, least(next, moment + held)) AS until
    FROM (
      SELECT (${frame.scope}) AS is_own, external != toIPv6('::') AND protocol != 0 AS is_named,
        if(is_named, ${HELD_SESSION}, ${HELD_BINDING}) AS held, toInt64(toUnixTimestamp(at)) AS moment,
        translated, external, external_port, protocol, event,
        lagInFrame(event = 'created', 1, 0) OVER same AS follows,
        leadInFrame(event = 'deleted', 1, 0) OVER same AS is_ended,
        leadInFrame(toInt64(toUnixTimestamp(at)), 1, 0) OVER same AS next
      FROM translations WHERE ${told}
      WINDOW same AS (
        PARTITION BY exporter, internal, internal_port, translated, translated_port, translated_port_end, external, external_port, protocol
        ORDER BY at, event ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
    WHERE event = 'created' OR NOT follows`;
}

/** Whole units of `seconds` that a span touches, within the question's time. */
function unitsOf({ baselineFrom, until }: Frame, seconds: number, slack: number): string {
  const first = `intDiv(greatest(since - ${slack}, ${int(baselineFrom)}), ${seconds})`;
  const last = `intDiv(least(until + ${slack}, ${int(until)}), ${seconds})`;
  return `arrayJoin(range(toUInt32(${first}), toUInt32(greatest(${first}, ${last} + 1))))`;
}

/** With `seen` only minutes that flows show: of very many sessions most minutes are idle. */
function sessionsWhere(frame: Frame, spans: string, seen: string | undefined, having: string): string {
  const isSeen = seen ? `WHERE key IN (SELECT ${SESSION} FROM conversations WHERE ${seen})` : '';
  return `
    SELECT key FROM (
      SELECT is_own, ${sessionKey('translated', unitsOf(frame, 60, SLACK))} AS key FROM (${spans}) WHERE is_named)
    ${isSeen} GROUP BY key HAVING ${having}`;
}

function holdingsWhere(frame: Frame, spans: string, having: string): string {
  return `
    SELECT key FROM (
      SELECT is_own, is_named, ${holdingKey('translated', unitsOf(frame, SLOT, 0))} AS key FROM (${spans}))
    GROUP BY key HAVING ${having}`;
}

interface SharedRow {
  readonly address: string;
  readonly destinations: readonly (readonly [external: string, port: number])[];
  readonly number: string;
  readonly counted: number;
}

async function sharedNotes(client: ClickHouseClient, frame: Frame, { shared }: Parts): Promise<string[]> {
  const found = await rows<SharedRow>(
    client,
    `SELECT toString(internal) AS address, uniqExact(external, external_port) AS number, max(${frame.scope}) AS counted,
       arraySort(groupUniqArray(3)((toString(external), external_port))) AS destinations
     FROM conversations
     WHERE ${shared} AND ${frame.destinations} AND ${frame.exporters}
       AND minute >= toDateTime(${int(frame.since)}) AND minute <= toDateTime(${int(frame.until)})
     GROUP BY internal ORDER BY internal LIMIT ${MAX_NOTES}`,
  );
  return found.map(({ address, destinations, number, counted }) => {
    const named = destinations.map(([external, port]) => `${plain(external)} port ${port}`);
    const more = Number(number) - named.length;
    const what = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
    return `what ${plain(address)} did with ${what} cannot be told apart from other hosts that appear as it, and is ${counted ? '' : 'not '}counted`;
  });
}

/** Rows, but never more than one above `most`. */
async function atMost(client: ClickHouseClient, most: number, from: string): Promise<number> {
  const [{ found }] = await rows<{ found: string }>(
    client,
    `SELECT count() AS found FROM (SELECT 1 FROM ${from} LIMIT ${most + 1})`,
  );
  return Number(found);
}

/** The store writes IPv4 as ::ffff:a.b.c.d. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');

const int = (seconds: number) => String(Math.max(0, Math.floor(seconds)));

async function rows<T>(client: ClickHouseClient, query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return (await result.json()) as T[];
}
