// a text that another collector stored, or that was pushed -> what is stored of it
import type { DeviceDefinition } from '../../devices/definition.ts';
import { found } from './clean.ts';
import { type TakenSnapshot, take } from './take.ts';

/** As take; complete also where it ends as texts of others do. */
export function takeStored(
  text: string,
  definition: DeviceDefinition,
  hash: (secret: string) => string,
): TakenSnapshot {
  const plain = text.replaceAll('\r\n', '\n');
  const taken = take(plain, definition, hash);
  const { storedEnd } = definition;
  return { ...taken, complete: taken.complete || (storedEnd !== undefined && found(storedEnd, plain)) };
}
