// sudo: "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh", with words in front where it refused (sudoers(5), "Log format")
import { commandKind } from '../commands.ts';
import type { Reader, Reading } from './reader.ts';

const MAX_LENGTH = 8192;
const MAX_SEGMENTS = 16;
const ASSIGNMENT = /^[A-Z]{2,16}=/;

export const sudo: Reader = {
  knows: (program) => program === 'sudo',
  readerFor: () => (message) => readSudo(message.slice(0, MAX_LENGTH)),
};

/** `user` asked, `effectiveUser` is whom the command runs as. A command that was refused did not run. */
function readSudo(message: string): Reading | undefined {
  const start = /^ {0,20}(\S{1,256}) : /.exec(message);
  if (!start) return undefined;
  const rest = message.slice(start[0].length);
  const at = rest.startsWith('COMMAND=') ? 0 : rest.indexOf(' ; COMMAND=');
  const user = start[1];
  const segments = (at < 0 ? rest : rest.slice(0, at)).split(' ; ', MAX_SEGMENTS);
  const refusal = segments.find((segment) => segment !== '' && !ASSIGNMENT.test(segment));
  const value = (key: string) =>
    segments.find((segment) => segment.startsWith(`${key}=`))?.slice(key.length + 1) || undefined;
  const tty = value('TTY');
  const told = { user, effectiveUser: value('USER'), tty: tty === 'unknown' ? undefined : tty };
  if (refusal !== undefined) {
    if (segments.length < 2) return undefined;
    const isFailure = /password|authentication/i.test(refusal);
    return { kind: isFailure ? 'login-failed' : 'other', action: refusal.slice(0, 100), ...told };
  }
  if (at < 0) return undefined;
  const command = rest.slice(rest.indexOf('COMMAND=', at) + 'COMMAND='.length).trim();
  return { kind: commandKind(command), command: command || undefined, ...told };
}
