// /v1/endpoints: where alerts are sent to
import { randomBytes, randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { type EndpointSecret, FORMATS } from '../alerts/formats.ts';
import { checkEndpointUrl } from '../alerts/guard.ts';
import { SEVERITIES } from '../model/watch.ts';
import type { Services } from '../services.ts';
import {
  deleteEndpoint,
  type Endpoint,
  endpointById,
  insertEndpoint,
  listEndpoints,
  updateEndpoint,
} from '../store/postgres/endpoints.ts';
import { note } from './authorise.ts';
import { checked, found, isTaken, nameTaken, problem } from './problem.ts';
import { sendSample } from './sample.ts';
import {
  cursorKey,
  IdParams,
  Name,
  Nothing,
  Nullable,
  oneOf,
  Page,
  PageQuery,
  pageOf,
  Strict,
  Time,
  type Web,
} from './schema.ts';

const tags = ['endpoints'];
const Url = Type.String({ minLength: 1, maxLength: 2000 });
const Secret = Type.String({
  pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}$',
  writeOnly: true,
  description: 'Signs deliveries (Standard Webhooks): whsec_ and base64 of 24 to 64 bytes',
});
const TOKEN = "Splunk's HEC token or PagerDuty's routing key";
const Token = Type.String({
  minLength: 1,
  maxLength: 1000,
  pattern: '^[\\x21-\\x7e]+$',
  writeOnly: true,
  description: TOKEN,
});
const fields = {
  name: Name,
  url: Url,
  format: oneOf(FORMATS),
  minSeverity: oneOf(SEVERITIES),
  enabled: Type.Boolean({ description: 'False, too, once it answered 410 Gone' }),
};
const EndpointBody = Strict({
  ...Type.Partial(Type.Object(fields)).properties,
  name: Name,
  url: Url,
  secret: Type.Optional(Secret),
  token: Type.Optional(Token),
});
const EndpointPatch = Strict({
  ...Type.Partial(Type.Object(fields)).properties,
  secret: Type.Optional(Secret),
  token: Type.Optional(Nullable(Token)),
});
const EndpointView = Type.Object({
  id: Type.String(),
  ...fields,
  createdAt: Time,
});
const Created = Type.Object({
  ...EndpointView.properties,
  secret: Type.Optional(Type.String({ description: 'Shown only here, where it was not given' })),
});
const Sent = Type.Object({
  delivered: Type.Boolean(),
  status: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
});

const present = (row: Endpoint): Static<typeof EndpointView> => ({
  id: row.id,
  name: row.name,
  url: row.url,
  format: row.format,
  minSeverity: row.min_severity as (typeof SEVERITIES)[number],
  enabled: row.enabled,
  createdAt: row.created_at.toISOString(),
});

const endpointOf = async ({ postgres }: Services, id: string): Promise<Endpoint> =>
  found(await endpointById(postgres, id), 'endpoint');
const seal = (services: Services, secret: EndpointSecret) => services.seal.seal(JSON.stringify(secret));
/** Splunk and PagerDuty refuse what comes without it. Throws 400. */
function checkToken(format: string, token: string | undefined): void {
  if (token === undefined && (format === 'splunk-hec' || format === 'pagerduty'))
    throw problem(400, 'no-token', `${format} needs a token: ${TOKEN}`, 'token');
}
const urlOf = ({ settings }: Services, text: string): string =>
  checked('url', 'bad-endpoint', () => checkEndpointUrl(text, settings.POSTERN_WEBHOOK_ALLOWED_HOSTS)).href;

export function endpointRoutes(app: Web): void {
  add(app);
  list(app);
  read(app);
  change(app);
  remove(app);
  test(app);
}

function add(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/endpoints',
    {
      schema: {
        tags,
        summary: 'Add an endpoint; alerts from then on go there',
        body: EndpointBody,
        response: { 201: Created },
      },
      config: { right: 'endpoints:write', audit: 'endpoint.add' },
    },
    async (request, reply) => {
      const { body } = request;
      const signing = body.secret ?? `whsec_${randomBytes(32).toString('base64')}`;
      checkToken(body.format ?? 'postern', body.token);
      const row: Endpoint = {
        id: randomUUID(),
        name: body.name,
        url: urlOf(services, body.url),
        secret: seal(services, { signing, token: body.token }),
        format: body.format ?? 'postern',
        min_severity: body.minSeverity ?? 'low',
        enabled: body.enabled ?? true,
        created_at: new Date(services.now()),
      };
      if (!(await insertEndpoint(services.postgres, row))) throw nameTaken('endpoint', row.name);
      note(request, `endpoint/${row.id}`, { name: row.name, url: row.url, format: row.format });
      const secret = body.secret === undefined ? { secret: signing } : {};
      return reply
        .code(201)
        .header('location', `/v1/endpoints/${row.id}`)
        .send({ ...present(row), ...secret });
    },
  );
}

function list(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/endpoints',
    {
      schema: {
        tags,
        summary: 'List endpoints in order of name',
        querystring: Strict(PageQuery),
        response: { 200: Page(EndpointView) },
      },
      config: { right: 'endpoints:read' },
    },
    async ({ query: { cursor, limit } }) => {
      const after = cursorKey(cursor, 1)?.[0];
      const rows = await listEndpoints(services.postgres, { after, limit: limit + 1 });
      return pageOf(rows, limit, (row) => [row.name], present);
    },
  );
}

function read(app: Web): void {
  const { services } = app;
  app.get(
    '/v1/endpoints/:id',
    {
      schema: { tags, summary: 'Read an endpoint', params: IdParams, response: { 200: EndpointView } },
      config: { right: 'endpoints:read' },
    },
    async ({ params }) => present(await endpointOf(services, params.id)),
  );
}

function change(app: Web): void {
  const { services } = app;
  app.patch(
    '/v1/endpoints/:id',
    {
      schema: {
        tags,
        summary: 'Change an endpoint; a token of null is taken away',
        params: IdParams,
        body: EndpointPatch,
        response: { 200: EndpointView },
      },
      config: { right: 'endpoints:write', audit: 'endpoint.change' },
    },
    async (request) => {
      const { params, body } = request;
      const before = await endpointOf(services, params.id);
      const old: EndpointSecret = JSON.parse(services.seal.open(before.secret));
      const token = body.token === undefined ? old.token : (body.token ?? undefined);
      const values = {
        name: body.name ?? before.name,
        url: body.url === undefined ? before.url : urlOf(services, body.url),
        format: body.format ?? before.format,
        min_severity: body.minSeverity ?? before.min_severity,
        enabled: body.enabled ?? before.enabled,
        secret: seal(services, { signing: body.secret ?? old.signing, token }),
      };
      checkToken(values.format, token);
      const after = await updateEndpoint(services.postgres, params.id, values).catch((error) => {
        throw isTaken(error) ? nameTaken('endpoint', values.name) : error;
      });
      const row = found(after, 'endpoint');
      note(request, `endpoint/${row.id}`, { name: row.name, url: row.url, fields: Object.keys(body) });
      return present(row);
    },
  );
}

function remove(app: Web): void {
  const { services } = app;
  app.delete(
    '/v1/endpoints/:id',
    {
      schema: {
        tags,
        summary: 'Remove an endpoint with its deliveries',
        params: IdParams,
        response: { 204: Nothing },
      },
      config: { right: 'endpoints:write', audit: 'endpoint.remove' },
    },
    async (request, reply) => {
      const row = await endpointOf(services, request.params.id);
      await deleteEndpoint(services.postgres, row.id);
      note(request, `endpoint/${row.id}`, { name: row.name, url: row.url });
      return reply.code(204).send(undefined);
    },
  );
}

function test(app: Web): void {
  const { services } = app;
  app.post(
    '/v1/endpoints/:id/test',
    {
      schema: {
        tags,
        summary: 'Send it a sample now, once',
        params: IdParams,
        response: { 200: Sent },
      },
      config: { right: 'endpoints:write', audit: 'endpoint.test' },
    },
    async (request) => {
      const row = await endpointOf(services, request.params.id);
      const outcome = await sendSample(row, services);
      note(request, `endpoint/${row.id}`, { name: row.name, delivered: outcome.delivered });
      return outcome;
    },
  );
}
