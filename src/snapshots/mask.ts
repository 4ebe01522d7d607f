// what is on a screen -> its last lines, fit for an error message
import type { DeviceDefinition } from '../../devices/definition.ts';
import { cleanScreen } from './clean.ts';
import { redact } from './redact.ts';
import type { Credential } from './target.ts';

const LOOKED_AT = 65_536;
const LINES = 8;
const LINE_LENGTH = 160;

/** The last lines of the screen without the credential, the vendor's secrets, key material and control characters. */
export function maskScreen(screen: string, definition: DeviceDefinition, credential: Credential): string {
  let text = cleanScreen(screen.slice(-LOOKED_AT));
  for (const secret of [credential.password, credential.enablePassword, credential.passphrase]) {
    if (secret) text = text.replaceAll(secret, '<removed>');
  }
  return redact(text, definition, () => 'secret')
    .replace(/[A-Za-z0-9+/=]{40,}/g, '<removed>')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, ' ')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-LINES)
    .map((line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}...` : line))
    .join('\n');
}
