// what the schemas of all nouns share: TypeBox as fastify's types and validator, names of fields, pages
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RouteGenericInterface,
} from 'fastify';
import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { problem } from './problem.ts';

interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** A fastify whose routes take their types from their schemas. */
export type Web = FastifyInstance<
  Server,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;
export type { RouteGenericInterface };

/** Refuses fields that it does not name. */
export const Strict = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const oneOf = <const T extends string>(values: readonly T[], options = {}) =>
  Type.Unsafe<T>(Type.String({ enum: [...values], ...options }));

export const Id = Type.String({ minLength: 1, maxLength: 100 });
export const Time = Type.String({ format: 'date-time', description: 'ISO 8601' });
export const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]+$' });
export const DeviceFilter = Type.String({ maxLength: 200, description: 'Name or id' });
export const Note = Type.String({ maxLength: 2000 });
export const Texts = (maxItems: number, description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems, description });
export const IdParams = Strict({ id: Id });
export const Nothing = Type.Unsafe<undefined>({ type: 'null', description: 'Done' });

export const PageQuery = {
  cursor: Type.Optional(Type.String({ maxLength: 1000, description: '`next` of the page before' })),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
};

export const Page = <S extends TSchema>(item: S) =>
  Type.Object({
    items: Type.Array(item),
    next: Type.Optional(Type.String({ description: 'The cursor of the next page; absent on the last' })),
  });

/** Rows, one more than `limit` where there are more -> a page. `keyOf` is where the next one goes on. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => readonly string[],
  present: (row: Row) => Item,
): { items: Item[]; next?: string } {
  const items = rows.slice(0, limit).map(present);
  if (rows.length <= limit) return { items };
  return { items, next: Buffer.from(JSON.stringify(keyOf(rows[limit - 1]))).toString('base64url') };
}

export const badCursor = () => problem(400, 'bad-cursor', 'the cursor is none of this list', 'cursor');
const isText = (part: unknown): part is string => typeof part === 'string' && !holdsUnstorable(part);

/** The key that a cursor holds, of so many texts; undefined for the first page. Throws 400. */
export function cursorKey(cursor: string | undefined, length: number): string[] | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(key) && key.length === length && key.every(isText)) return key;
  } catch {}
  throw badCursor();
}

/** A cursor of a list by time and id, newest first. */
export function timeCursor(cursor: string | undefined): { at: Date; id: string } | undefined {
  const key = cursorKey(cursor, 2);
  if (!key) return undefined;
  const at = new Date(key[0]);
  if (Number.isNaN(at.getTime())) throw badCursor();
  return { at, id: key[1] };
}

/** What timeCursor reads again. */
export const timeKey = (at: Date, id: string): [string, string] => [at.toISOString(), id];

/** Texts of the query and path become numbers and booleans where the schema has these; bodies are taken as they are. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (input: unknown) => {
    const given = httpPart === 'body' ? (input ?? {}) : validator.Convert({ ...(input as object) });
    if (holdsUnstorable(given))
      return {
        error: problem(400, 'bad-text', 'texts may hold neither NUL nor half a surrogate pair', httpPart),
      };
    const value = validator.Default(given);
    if (validator.Check(value)) return { value };
    const [error] = validator.Errors(value);
    return { error: problem(400, 'bad-request', ...describe(error, httpPart)) };
  };
};

/** PostgreSQL takes neither; JSON.stringify escapes just these. */
const holdsUnstorable = (input: unknown) =>
  /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(JSON.stringify(input));

/** A time that the schema let through and that is one: a leap second is none for Date. Throws 400. */
export function dateOf(field: string, text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw problem(400, 'bad-time', `${field} is no time`, field);
  return date;
}

/** The same for a filter that may be left out. */
export const dateIfGiven = (field: string, text: string | undefined): Date | undefined =>
  text === undefined ? undefined : dateOf(field, text);

type SchemaError = ReturnType<ReturnType<typeof Compile>['Errors']>[number];

function describe(error: SchemaError | undefined, httpPart = 'body'): [detail: string, field: string] {
  if (!error) return [`the ${httpPart} is not valid`, httpPart];
  const { params } = error as { params: Record<string, unknown> };
  const extra = [params.additionalProperties ?? params.requiredProperties].flat()[0];
  const path = error.instancePath.split('/').slice(1);
  if (typeof extra === 'string') path.push(extra);
  const field = path.join('.') || httpPart;
  const values = Array.isArray(params.allowedValues) ? `: ${params.allowedValues.join(', ')}` : '';
  // Inside a union an unknown field meets the schema `false`.
  if (error.keyword === 'additionalProperties' || error.keyword === 'boolean')
    return [`${field} is not a field of this request`, field];
  if (error.keyword === 'required') return [`${field} is missing`, field];
  return [`${field} ${error.message}${values}`, field];
}
