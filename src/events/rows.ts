// an event of a line that holds several rows (osquery's snapshots and batches) -> one event a row
import type { Event } from '../model/event.ts';
import { osqueryRows } from './readers/osquery.ts';
import { isFields } from './readers/values.ts';
import { withoutSecrets } from './redact.ts';

/** The first keeps the line as it came, the others their own row. An event of one row is returned as it is. */
export function rowsOf(event: Event): Event[] {
  const rows = osqueryRows(parsed(event.message));
  if (rows.length < 2) return [event];
  return rows.map(({ reading, line }, i) => {
    const text = JSON.stringify(line);
    const told = Object.fromEntries(Object.entries(reading).filter(([, value]) => value !== undefined));
    if (i === 0) return event;
    return withoutSecrets({ ...rowless(event), ...(told as typeof reading), message: text, raw: text });
  });
}

/** What the line says as a whole. */
const rowless = ({
  receivedAtMs,
  observedAtMs,
  sender,
  host,
  severity,
  facility,
  identity,
  origin,
  originBasis,
  clockOffsetMs,
}: Event) => ({
  receivedAtMs,
  observedAtMs,
  sender,
  host,
  severity,
  facility,
  identity,
  origin,
  originBasis,
  clockOffsetMs,
});

function parsed(text: string) {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : {};
  } catch {
    return {};
  }
}
