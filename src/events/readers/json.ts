// one JSON object a line: osquery's results, Zeek's conn.log, macOS's unified log -> what it says
import { osqueryReading } from './osquery.ts';
import type { Reader, Reading } from './reader.ts';
import { unifiedLogReading } from './unified-log.ts';
import { type Fields, isFields } from './values.ts';
import { zeekReading } from './zeek.ts';

/** What is longer is not parsed: nobody writes a row of that length. */
const MAX_LENGTH = 65_536;
/** Each reader takes what has its own marks; an object of anybody else is none of theirs. */
const READERS: readonly ((fields: Fields) => Reading | undefined)[] = [
  zeekReading,
  osqueryReading,
  unifiedLogReading,
];
/** Before any parsing: a name that only one of the three has. */
const MARKS = /"id\.orig_h"|"processImagePath"|"columns"|"snapshot"|"diffResults"/;

export const json: Reader = {
  knows: () => true,
  readerFor: () => (message) => {
    if (message.charCodeAt(0) !== 0x7b || message.length > MAX_LENGTH || !MARKS.test(message))
      return undefined;
    const fields = parseFields(message);
    if (!fields) return undefined;
    for (const read of READERS) {
      const reading = read(fields);
      if (reading) return reading;
    }
    return undefined;
  },
};

/** JSON.parse is linear and its depth bounded by the length; undefined for what is no object. */
function parseFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
