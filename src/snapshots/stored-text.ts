// a text that another collector stored, or that was pushed -> what is stored of it
import type { DeviceDefinition } from '../../devices/definition.ts';
import { found } from './clean.ts';
import { comparable } from './compare.ts';
import { type TakenSnapshot, take } from './take.ts';

/**
 * As take; complete also where it ends as texts of others do. That end proves less than one of our own commands: a text
 * that is nothing but the beginning of the one before, `previous` (redacted, by the same key), is taken for one cut short.
 */
export function takeStored(
  text: string,
  definition: DeviceDefinition,
  hash: (secret: string) => string,
  previous?: string,
): TakenSnapshot {
  const plain = text.replaceAll('\r\n', '\n');
  const taken = take(plain, definition, hash);
  const { storedEnd } = definition;
  if (taken.complete || storedEnd === undefined || !found(storedEnd, plain)) return taken;
  return { ...taken, complete: !isBeginning(taken.text, previous, definition) };
}

function isBeginning(text: string, previous: string | undefined, definition: DeviceDefinition): boolean {
  if (previous === undefined) return false;
  const [before, now] = [comparable(previous, definition), comparable(text, definition)];
  return now.length < before.length && before.startsWith(now);
}
