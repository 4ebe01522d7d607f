// /v1/flows: what a scope exchanged with the outside, and what the collector counted
import { Type } from 'typebox';
import type {} from '../flows/plugin.ts';
import { type ConversationSummary, conversationSummary } from '../store/clickhouse/conversations.ts';
import { clientForWork } from '../store/clickhouse/open.ts';
import { problem } from './problem.ts';
import { createRecent } from './recent.ts';
import { dateOf, oneOf, Strict, Time, type Web } from './schema.ts';

const tags = ['flows'];
const HOUR_MS = 3_600_000;
const totals = {
  outBytes: Type.Number(),
  outPackets: Type.Number(),
  outFlows: Type.Number(),
  inBytes: Type.Number(),
  inPackets: Type.Number(),
  inFlows: Type.Number(),
};
const SummaryQuery = Strict({
  scope: Type.Optional(
    Type.String({ maxLength: 8000, description: 'Internal addresses and prefixes with commas; absent: all' }),
  ),
  from: Type.Optional({ ...Time, description: 'Default: an hour before `until`' }),
  until: Type.Optional({ ...Time, description: 'Outside of the window; default: now' }),
  groupBy: oneOf(['minute', 'hour'], { default: 'minute' }),
  externals: Type.Integer({ minimum: 1, maximum: 1000, default: 50, description: 'How many are listed' }),
});
const Summary = Type.Object({
  from: Time,
  until: Time,
  series: Type.Array(Type.Object({ at: Time, ...totals }), {
    description: 'Scaled for sampling, but for flows; times without traffic are left out',
  }),
  externals: Type.Array(
    Type.Object({
      address: Type.String(),
      asn: Type.Integer(),
      name: Type.String({ description: 'As known now' }),
      category: Type.String({ description: 'As it was then' }),
      internals: Type.Integer({ description: 'Internal addresses that talked to it' }),
      ...totals,
    }),
  ),
});
const Counters = Type.Object({
  counters: Type.Record(Type.String(), Type.Number()),
  refused: Type.Record(Type.String(), Type.Number(), {
    description: 'Datagrams by sender that is not allowed',
  }),
  sessionsEvicted: Type.Number(),
  droppedRows: Type.Number(),
  waitingRows: Type.Number({ description: 'In memory' }),
  spooledRows: Type.Number({ description: 'On disk, since the store had no time for them' }),
  spooledBytes: Type.Number(),
  storedRows: Type.Number(),
  kernelDrops: Type.Number(),
});

export function flowRoutes(app: Web): void {
  summarise(app);
  count(app);
}

function summarise(app: Web): void {
  const { services } = app;
  const recent = createRecent<ConversationSummary & { readonly fromMs: number; readonly untilMs: number }>();
  app.get(
    '/v1/flows/summary',
    {
      schema: {
        tags,
        summary: 'What a scope exchanged with the outside in a window of time',
        description:
          'Of the last hour (neither `from` nor `until`), what takes long to sum up may be answered some seconds old; `until` says of when it is',
        querystring: SummaryQuery,
        response: { 200: Summary },
      },
      config: { right: 'flows:read' },
    },
    async ({ query }) => {
      const nowMs = services.now();
      const untilMs = query.until === undefined ? nowMs : dateOf('until', query.until).getTime();
      const fromMs = query.from === undefined ? untilMs - HOUR_MS : dateOf('from', query.from).getTime();
      if (fromMs >= untilMs) throw problem(400, 'bad-window', 'from must be before until', 'from');
      const scope = (query.scope ?? '').split(',').flatMap((text) => text.trim() || []);
      const { groupBy, externals: count } = query;
      const question = { scope, fromMs, untilMs, groupBy, externals: count };
      // The traffic of a whole site takes long; others do not wait for it.
      const client = scope.length === 0 ? clientForWork(services.clickhouse) : services.clickhouse;
      const answer = async () => ({ ...(await conversationSummary(client, question)), fromMs, untilMs });
      const asked =
        query.until === undefined && query.from === undefined
          ? recent.get(JSON.stringify([scope, groupBy, count]), nowMs, answer)
          : answer();
      const { series, externals, ...window } = await asked.catch((error) => {
        if (error instanceof TypeError) throw problem(400, 'bad-scope', error.message, 'scope');
        if (error instanceof RangeError) throw problem(400, 'too-much', error.message);
        throw error;
      });
      return {
        from: new Date(window.fromMs).toISOString(),
        until: new Date(window.untilMs).toISOString(),
        series: series.map(({ atMs, ...sums }) => ({ at: new Date(atMs).toISOString(), ...sums })),
        externals: externals.map((one) => ({ ...one, name: services.enrich(one.address).name })),
      };
    },
  );
}

function count(app: Web): void {
  app.get(
    '/v1/flows/counters',
    {
      schema: {
        tags,
        summary: 'What the collector of this process counted since its start',
        response: { 200: Counters },
      },
      config: { right: 'flows:read' },
    },
    async () => app.flows.counters(),
  );
}
