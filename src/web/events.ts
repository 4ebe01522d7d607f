// /v1/events and /v1/senders: log lines, what of them was not understood, and who sent them
import { type Static, Type } from 'typebox';
import type {} from '../events/plugin.ts';
import { formatAddress, parseAddress } from '../model/addresses.ts';
import { type EventKind, happenedAt } from '../model/event.ts';
import { type FoundEvent, searchEvents } from '../store/clickhouse/event-search.ts';
import { type SenderRow, sendersSince } from '../store/clickhouse/senders.ts';
import { checked, problem } from './problem.ts';
import {
  badCursor,
  cursorKey,
  dateOf,
  Nullable,
  oneOf,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Time,
  type Web,
} from './schema.ts';

const tags = ['events'];
const DAY_MS = 86_400_000;
const KINDS: readonly EventKind[] = [
  'config-changed',
  'command',
  'login-accepted',
  'login-failed',
  'firewall-changed',
  'route-changed',
  'firewall-drop',
  'firewall-accept',
  'firewall-packet',
  'listen',
  'connect',
  'service-started',
  'service-stopped',
  'other',
];
const Text = Type.Optional(Type.String({ minLength: 1, maxLength: 255 }));
const EventQuery = Strict({
  ...PageQuery,
  from: Type.Optional({ ...Time, description: 'Of receipt; default: a day before `until`' }),
  until: Type.Optional({ ...Time, description: 'Outside; default: now' }),
  origin: Type.Optional({ ...Text, description: 'Name of the host or device that the lines are from' }),
  sender: Type.Optional(Type.String({ maxLength: 64, description: 'Address' })),
  kind: Type.Optional(oneOf(KINDS)),
  program: Text,
  text: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'Part of the line as received; upper and lower case of A to Z are the same',
    }),
  ),
});
const EventView = Type.Object({
  receivedAt: Time,
  observedAt: { ...Time, description: 'As the line states it; the receipt where it states none' },
  happenedAt: { ...Time, description: 'By our clock' },
  clockOffsetMs: Type.Integer({ description: "The sender's clock minus ours, as measured then" }),
  kind: oneOf(KINDS),
  sender: Type.String(),
  origin: Nullable(Type.String()),
  originBasis: Nullable(oneOf(['certificate', 'address', 'node', 'host-name'])),
  host: Nullable(Type.String()),
  node: Nullable(Type.String()),
  identity: Nullable(Type.String()),
  program: Nullable(Type.String()),
  severity: Nullable(Type.Integer()),
  facility: Nullable(Type.Integer()),
  user: Nullable(Type.String()),
  sourceAddress: Nullable(Type.String()),
  destinationAddress: Nullable(Type.String()),
  destinationPort: Nullable(Type.Integer()),
  protocol: Nullable(Type.String()),
  command: Nullable(Type.String()),
  executable: Nullable(Type.String()),
  raw: Type.String({ description: 'Control characters are U+FFFD; secrets are removed' }),
});
const UnreadView = Type.Object({ program: Type.String(), shape: Type.String(), count: Type.Integer() });
const SenderView = Type.Object({
  sender: Type.String(),
  host: Nullable(Type.String({ description: 'The name stated, where the sender may speak for others' })),
  identity: Nullable(Type.String({ description: 'Name in a verified client certificate' })),
  origin: Nullable(Type.String({ description: 'Name of the host or device' })),
  originBasis: Nullable(Type.String()),
  status: oneOf(['known', 'unknown', 'refused'], { description: 'refused: the allow-list leaves it out' }),
  lines: Type.Integer(),
  unread: Type.Integer({ description: 'Of known programs, that no reader understood' }),
  dropped: Type.Integer({ description: 'Datagrams over its share' }),
  refused: Type.Integer(),
  lastLineAt: Time,
  clockOffsetMs: Type.Integer({
    description: 'Its clock minus ours, from lines that state a zone; 0 below 1.5 s',
  }),
  localOffsetMs: Type.Integer({ description: 'The same from lines that state no zone, its zone included' }),
  zoneMinutes: Type.Integer({ description: 'Zone of lines that state none, as measured, ahead of UTC' }),
});

export function eventRoutes(app: Web): void {
  search(app);
  unread(app);
  senders(app);
}

const known = (text: string) => (text === '' ? null : text);
const atLeastZero = (value: number) => (value < 0 ? null : value);
const iso = (timeMs: number) => new Date(timeMs).toISOString();

function present(event: FoundEvent): Static<typeof EventView> {
  return {
    receivedAt: iso(event.receivedAtMs),
    observedAt: iso(event.observedAtMs),
    happenedAt: iso(happenedAt(event)),
    clockOffsetMs: event.clockOffsetMs,
    kind: event.kind,
    sender: event.sender,
    origin: known(event.origin),
    originBasis: known(event.originBasis) as Static<typeof EventView>['originBasis'],
    host: known(event.host),
    node: known(event.node),
    identity: known(event.identity),
    program: known(event.program),
    severity: atLeastZero(event.severity),
    facility: atLeastZero(event.facility),
    user: known(event.user),
    sourceAddress: known(event.sourceAddress),
    destinationAddress: known(event.destinationAddress),
    destinationPort: atLeastZero(event.destinationPort),
    protocol: known(event.protocol),
    command: known(event.command),
    executable: known(event.executable),
    raw: event.raw,
  };
}

function search(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/events',
    {
      schema: {
        tags,
        summary: 'Search log lines, the newest first',
        querystring: EventQuery,
        response: { 200: Page(EventView) },
      },
      config: { right: 'events:read' },
    },
    async ({ query: { cursor, limit, ...query } }) => {
      const untilMs = query.until === undefined ? services.now() + 1 : dateOf('until', query.until).getTime();
      const fromMs = query.from === undefined ? untilMs - DAY_MS : dateOf('from', query.from).getTime();
      if (fromMs >= untilMs) throw problem(400, 'bad-window', 'from must be before until', 'from');
      const { sender } = query;
      const address =
        sender === undefined
          ? undefined
          : checked('sender', 'bad-address', () => formatAddress(parseAddress(sender)));
      const after = eventCursor(cursor);
      const question = { ...query, sender: address, fromMs, untilMs, after, limit: limit + 1 };
      const rows = await searchEvents(services.clickhouse, question).catch((error) => {
        if (!(error instanceof RangeError)) throw error;
        throw problem(
          503,
          'search-too-slow',
          'the search takes too long: give a shorter time or more filters',
        );
      });
      return pageOf(rows, limit, (row) => keyAfter(row, rows.slice(0, limit), after), present);
    },
  );
}

type After = NonNullable<Parameters<typeof searchEvents>[1]['after']>;

/** Lines of one millisecond are parted by their number in it. */
function keyAfter({ receivedAtMs }: FoundEvent, shown: readonly FoundEvent[], before?: After): string[] {
  const same = shown.filter((row) => row.receivedAtMs === receivedAtMs).length;
  const skip = same + (before?.receivedAtMs === receivedAtMs ? before.skip : 0);
  return [String(receivedAtMs), String(skip)];
}

function eventCursor(cursor: string | undefined): After | undefined {
  const key = cursorKey(cursor, 2);
  if (!key) return undefined;
  if (!/^\d{1,14}$/.test(key[0]) || !/^\d{1,9}$/.test(key[1])) throw badCursor();
  return { receivedAtMs: Number(key[0]), skip: Number(key[1]) };
}

function unread(app: Web): void {
  app.get(
    '/v1/events/unread',
    {
      schema: {
        tags,
        summary:
          'Lines of known programs that no reader understood, by shape, as this process counted since its start',
        response: { 200: Type.Object({ items: Type.Array(UnreadView) }) },
      },
      config: { right: 'events:read' },
    },
    async () => {
      const shapes = [...app.events.unreadShapes()].sort(([, a], [, b]) => b - a);
      return {
        items: shapes.map(([text, count]) => {
          const [program] = text.split(': ', 1);
          return { program, shape: text.slice(program.length + 2), count };
        }),
      };
    },
  );
}

function senders(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/senders',
    {
      schema: {
        tags,
        summary:
          'List who sent log lines, in order of address, with what was counted and by how much its clock is off',
        querystring: Strict({
          ...PageQuery,
          since: Type.Optional({ ...Time, description: 'From that day on (UTC); default: a week ago' }),
        }),
        response: { 200: Page(SenderView) },
      },
      config: { right: 'coverage:read' },
    },
    async ({ query: { cursor, limit, since } }) => {
      const sinceMs = since === undefined ? services.now() - 7 * DAY_MS : dateOf('since', since).getTime();
      const key = cursorKey(cursor, 3) as [string, string, string] | undefined;
      const rows = await sendersSince(services.clickhouse, { sinceMs, after: key, limit: limit + 1 }).catch(
        (error) => {
          throw error instanceof TypeError ? badCursor() : error;
        },
      );
      return pageOf(rows, limit, ({ sender, host, identity }) => [sender, host, identity], presentSender);
    },
  );
}

const presentSender = (row: SenderRow): Static<typeof SenderView> => ({
  sender: row.sender,
  host: known(row.host),
  identity: known(row.identity),
  origin: known(row.origin),
  originBasis: known(row.originBasis),
  status: row.origin !== '' ? 'known' : row.lines === 0 && row.refused > 0 ? 'refused' : 'unknown',
  lines: row.lines,
  unread: row.unread,
  dropped: row.dropped,
  refused: row.refused,
  lastLineAt: iso(row.lastAtMs),
  clockOffsetMs: row.zonedOffsetMs,
  localOffsetMs: row.zonelessOffsetMs,
  zoneMinutes: row.zoneMinutes,
});
