// a question's scope + events of address translation -> its scope with what its hosts did behind translated addresses
//
// An exporter outside of a translation shows one address for many hosts. Who it was is told by the events of the translating
// device (RFC 8158, NSEL): by session, where they name the destination; where they name bindings or blocks of ports only, an
// address stands for a host while no other host has it.
import type { ClickHouseClient } from '@clickhouse/client';
import { type AddressSet, addressSet } from '../model/addresses.ts';
import type { Frame } from './evidence-sql.ts';
import { rangeCondition } from './ranges-sql.ts';

/** Addresses that hosts of S appear as; those of the latest events. */
const MAX_ADDRESSES = 256;
/** Of these addresses, by all hosts. */
const MAX_EVENTS = 200_000;
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
 * Without events about the hosts of S, the scope as it is. What an exporter inside shows too counts once. An address that is
 * in the scope already, as the rules of a device say that S appears as it, loses what events say was done by others only.
 */
export async function translatedScope(client: ClickHouseClient, frame: Frame): Promise<Translated> {
  const { addresses, gaps } = await addressesOf(client, frame);
  if (addresses.length === 0) return { scope: frame.scope, gaps };
  const parts = partsOf(frame, addressSet(...addresses));
  const events = await count(client, `SELECT count() AS found FROM translations WHERE ${parts.told}`);
  if (events > MAX_EVENTS)
    return {
      scope: frame.scope,
      gaps: [
        `more than ${MAX_EVENTS} events of address translation: flows outside of it are not joined to hosts`,
      ],
    };
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

interface Parts {
  readonly scope: string;
  /** Condition on the events of all hosts that appear as the same addresses. */
  readonly told: string;
  /** Conversations of these addresses that may be of S, or not. */
  readonly shared: string;
}

/** A conversation's minute, as named sets hold it; and who had its address. */
const SESSION = '(internal, external, external_port, protocol, intDiv(toUnixTimestamp(minute), 60))';
const HOLDING = `(internal, intDiv(toUnixTimestamp(minute), ${SLOT}))`;

function partsOf(frame: Frame, addresses: AddressSet): Parts {
  const behind = rangeCondition('internal', addresses);
  const told = `${within(frame)} AND ${rangeCondition('translated', addresses)}`;
  const window = `minute >= toDateTime(${int(frame.baselineFrom)}) AND minute <= toDateTime(${int(frame.until)})`;
  const seen = `${behind} AND ${frame.exporters} AND ${window}`;
  const spans = spansOf(frame, told);
  const session = (having: string) => `${SESSION} IN (${sessionsWhere(frame, spans, seen, having)})`;
  const holding = (having: string) => `${HOLDING} IN (${holdingsWhere(frame, spans, having)})`;
  const shown = `(external, external_port, protocol, intDiv(toUnixTimestamp(minute), 60)) IN (
    SELECT external, external_port, protocol, arrayJoin([toUInt32(at - 1), at, toUInt32(at + 1)]) FROM (
      SELECT DISTINCT external, external_port, protocol, intDiv(toUnixTimestamp(minute), 60) AS at FROM conversations
      WHERE ${frame.scope} AND NOT ${behind} AND ${frame.exporters} AND ${window}
        AND external IN (SELECT external FROM conversations WHERE ${seen})))`;
  const ofS = session('min(is_own) = 1');
  const ofOthers = session('max(is_own) = 0');
  const isMine = `${ofS} OR ${holding('min(is_own) = 1 AND max(is_own AND NOT is_named) = 1')} OR (${frame.scope} AND NOT ${ofOthers})`;
  return {
    scope: `((${frame.scope} AND NOT ${behind}) OR (${behind} AND NOT ${shown} AND (${isMine})))`,
    told,
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

async function count(client: ClickHouseClient, query: string): Promise<number> {
  const [{ found }] = await rows<{ found: string }>(client, query);
  return Number(found);
}

/** The store writes IPv4 as ::ffff:a.b.c.d. */
const plain = (address: string) => address.replace(/^::ffff:(?=\d+\.)/, '');

const int = (seconds: number) => String(Math.max(0, Math.floor(seconds)));

async function rows<T>(client: ClickHouseClient, query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return (await result.json()) as T[];
}
