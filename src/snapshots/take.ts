// pulled text -> what is stored of it: redacted text, hash to compare by, and whether it is complete
import { createHash } from 'node:crypto';
import type { DeviceDefinition } from '../../devices/definition.ts';
import { comparable } from './compare.ts';
import { redact } from './redact.ts';
import { isComplete } from './run.ts';

export interface TakenSnapshot {
  /** Laid out and redacted: the only form that may be stored. */
  readonly text: string;
  /** SHA-256, hex, of the comparable part of `text`. */
  readonly compareHash: string;
  /** Whether every command's end marker is there; only a complete text may count as the device's configuration. */
  readonly complete: boolean;
}

/** Pure. `pulled` is text as pull() gives it or as another collector stored it; `hash` is keyed (see redact). */
export function take(
  pulled: string,
  definition: DeviceDefinition,
  hash: (secret: string) => string,
): TakenSnapshot {
  const laidOut = definition.layout?.(pulled) ?? pulled;
  const text = redact(laidOut, definition, hash);
  return {
    text,
    compareHash: createHash('sha256').update(comparable(text, definition)).digest('hex'),
    complete: isComplete(definition, [pulled, laidOut]),
  };
}
