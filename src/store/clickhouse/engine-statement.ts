// a query of ClickHouse's client, with its settings and parameters -> the text that the engine in this process runs
//
// The engine can bind parameters itself, but only of one query at a time in the whole process: a short question would wait
// for a long one. So they are written into the text, each as a constant of its type.

export interface Statement {
  readonly query: string;
  readonly clickhouse_settings?: object;
  readonly query_params?: Readonly<Record<string, unknown>>;
}

/** What ClickHouse's client sets for the server's HTTP interface only. */
const HTTP_SETTINGS = new Set([
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'enable_http_compression',
]);
const SETTING = /^[A-Za-z_][A-Za-z0-9_]*$/;
const PLACE = /\{([A-Za-z_][A-Za-z0-9_]*):([A-Za-z0-9_(), ]+)\}/g;

/** Throws TypeError for a setting or a value that cannot be written. A place without a value stays; the engine refuses it. */
export function statementText({ query, clickhouse_settings = {}, query_params = {} }: Statement): string {
  const settings = Object.entries(clickhouse_settings).flatMap(([name, value]) => {
    if (value === undefined || HTTP_SETTINGS.has(name)) return [];
    if (!SETTING.test(name)) throw new TypeError(`no name of a setting: ${name.slice(0, 50)}`);
    return `SET ${name} = ${settingText(value)}; `;
  });
  const text = query.replace(PLACE, (place, name: string, type: string) =>
    Object.hasOwn(query_params, name) ? `_CAST(${quoted(valueText(query_params[name]))}, '${type}')` : place,
  );
  return settings.join('') + text;
}

export const settingText = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : typeof value === 'boolean'
      ? String(Number(value))
      : quoted(String(value));

/** As ClickHouse reads a text for the type of the place. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return String(Number(value));
  if (Array.isArray(value))
    return `[${value.map((one) => (typeof one === 'string' ? quoted(one) : valueText(one))).join(',')}]`;
  throw new TypeError(`a parameter of a query cannot be ${value === null ? 'null' : typeof value}`);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\0': '\\0', '\n': '\\n' };

/** A literal of ClickHouse's SQL (https://clickhouse.com/docs/sql-reference/syntax#string). */
export const quoted = (text: string): string => `'${text.replace(/[\\'\0\n]/g, (found) => ESCAPES[found])}'`;
