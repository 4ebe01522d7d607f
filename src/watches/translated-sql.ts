// a question's scope + events of address translation -> its scope with what its hosts did behind translated addresses
//
// An exporter outside of a translation shows one address for many hosts. Who it was is told by the events of the translating
// device (RFC 8158, NSEL): by session, where they name the destination; where they name bindings or blocks of ports only, an
// address stands for a host while no other host has it.
import type { ClickHouseClient } from '@clickhouse/client';
import { type AddressSet, addressSet, noAddresses, unionAddresses } from '../model/addresses.ts';
import type { Frame } from './evidence-sql.ts';
import { rangeCondition } from './ranges-sql.ts';

/** Addresses that hosts of S appear as; those of the latest events. */
const MAX_ADDRESSES = 256;
/** Of these addresses, by all hosts. */
const MAX_EVENTS = 200_000;
/** Conversations of these addresses, and of S with what these spoke to: what sets of a question can hold. */
const MAX_ROWS = 5_000_000;
const MAX_INSIDE = 2_000_000;
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
 * Without events about the hosts of S, and without flows of what rules translate them to (`byRules`, part of the scope), the
 * scope as it is. What an exporter inside shows too counts once. An address that rules name loses what events say was done by
 * others only.
 */
export async function translatedScope(
  client: ClickHouseClient,
  frame: Frame,
  byRules: readonly string[],
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
  const parts = partsOf(frame, places, shown);
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

/** A conversation's minute, as named sets hold it; and who had its address. */
const SESSION = '(internal, external, external_port, protocol, intDiv(toUnixTimestamp(minute), 60))';
const HOLDING = `(internal, intDiv(toUnixTimestamp(minute), ${SLOT}))`;

function partsOf(frame: Frame, { behind, seen, told }: Places, shown: string): Parts {
  const spans = spansOf(frame, told);
  const session = (having: string) => `${SESSION} IN (${sessionsWhere(frame, spans, seen, having)})`;
  const holding = (having: string) => `${HOLDING} IN (${holdingsWhere(frame, spans, having)})`;
  const ofS = session('min(is_own) = 1');
  const ofOthers = session('max(is_own) = 0');
  const isMine = `${ofS} OR ${holding('min(is_own) = 1 AND max(is_own AND NOT is_named) = 1')} OR (${frame.scope} AND NOT ${ofOthers})`;
  return {
    scope: `((${frame.scope} AND NOT ${behind}) OR (${behind} AND NOT ${shown} AND (${isMine})))`,
    shared: `${behind} AND NOT ${shown} AND NOT ${ofOthers} AND NOT ${ofS} AND (${session('min(is_own) = 0 AND max(is_own) = 1')}
      OR ${holding('min(is_own) = 0 AND max(is_own AND NOT is_named) = 1')})`,
  };
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

/** Only what was seen: sessions are many, and most of their minutes are idle. */
function sessionsWhere(frame: Frame, spans: string, seen: string, having: string): string {
  return `
    SELECT translated, external, external_port, protocol, unit FROM (
      SELECT is_own, translated, external, external_port, protocol, ${unitsOf(frame, 60, SLACK)} AS unit
      FROM (${spans}) WHERE is_named)
    WHERE (translated, external, external_port, protocol, unit) IN (SELECT ${SESSION.slice(1, -1)} FROM conversations WHERE ${seen})
    GROUP BY translated, external, external_port, protocol, unit HAVING ${having}`;
}

function holdingsWhere(frame: Frame, spans: string, having: string): string {
  return `
    SELECT translated, unit FROM (
      SELECT is_own, is_named, translated, ${unitsOf(frame, SLOT, 0)} AS unit FROM (${spans}))
    GROUP BY translated, unit HAVING ${having}`;
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
