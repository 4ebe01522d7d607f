// /v1/enrichment: what is known about an address, and how old that knowledge is
import { Type } from 'typebox';
import { formatAddress, parseAddress } from '../model/addresses.ts';
import { checked } from './problem.ts';
import { Nullable, Strict, Time, type Web } from './schema.ts';

const tags = ['enrichment'];
const Source = Type.Object({
  name: Type.String(),
  url: Nullable(Type.String()),
  entries: Type.Integer(),
  asOf: Nullable(Time),
  lastAttemptAt: Nullable(Time),
  lastError: Nullable(Type.String()),
});
const Known = Type.Object({
  address: Type.String(),
  asn: Type.Integer({ description: '0: unknown' }),
  name: Type.String(),
  country: Type.String(),
  category: Type.String(),
  categorySource: Type.String(),
});
const time = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());

/** Providers take their tokens in the query; a path of this machine is shown as it is. */
function publicUrl(text: string | undefined): string | null {
  if (text === undefined || !URL.canParse(text)) return text ?? null;
  const url = new URL(text);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}

export function enrichmentRoutes(app: Web): void {
  const { services } = app;

  app.get(
    '/v1/enrichment/sources',
    {
      schema: {
        tags,
        summary: 'The sources and how old their data is',
        response: { 200: Type.Object({ items: Type.Array(Source) }) },
      },
      config: { right: 'enrichment:read' },
    },
    async () => ({
      items: services.enrichment.status().map((source) => ({
        name: source.name,
        url: publicUrl(source.url),
        entries: source.entries,
        asOf: time(source.asOfMs),
        lastAttemptAt: time(source.lastAttemptMs),
        lastError: source.lastError ?? null,
      })),
    }),
  );

  app.get(
    '/v1/enrichment/addresses/:address',
    {
      schema: {
        tags,
        summary: 'Network and category of an address',
        params: Strict({ address: Type.String({ maxLength: 64 }) }),
        response: { 200: Known },
      },
      config: { right: 'enrichment:read' },
    },
    async ({ params }) => {
      const address = checked('address', 'bad-address', () => formatAddress(parseAddress(params.address)));
      return { address, ...services.enrich(address) };
    },
  );
}
