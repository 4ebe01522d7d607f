// event -> the same event without the secrets that its line gave away
import { ciscoSecrets } from '../../devices/syntax/cisco-secrets.ts';
import type { Event } from '../model/event.ts';
import { redact } from '../snapshots/redact.ts';

/** Routers log what is typed: "username alice secret 0 ..." stands in the log before any snapshot is pulled. */
const LOGGED_COMMAND = /^(.*?\blogged command: ?)(.*)$/s;
/** As each vendor's command line has it: the word, perhaps a type of encryption, the secret. */
const TYPED = {
  pattern:
    /(?<![\w-])(?:--?)?(?:password|secret|community|passphrase|pre-shared-key|psk|key-string|(?:plain-text|encrypted)-password(?:-value)?)[ =](?:[05-9] )?(?!<removed:)["']?([^\s"']+)/i,
  example: 'set system login user alice authentication plain-text-password-value s3cret',
};
const SSHPASS = { pattern: /\bsshpass -p ?["']?([^\s"']+)/, example: 'sshpass -p s3cret ssh host' };
/** In any line: an assignment, and a password in a URL. Nobody writes "Failed password for alice" with either. */
const ANYWHERE = [
  {
    pattern:
      /(?<![A-Za-z])(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|psk)["']?\s?[=:]\s?(?!<removed:)["']?([^\s"',;&]{1,1024})/i,
    example: 'psk=s3cret',
  },
  { pattern: /:\/\/[^\s:@/]{1,64}:([^\s@/]{1,128})@/, example: 'https://bob:s3cret@host/' },
];
/** Most command lines hold none of these, and are not looked at further. */
const TELLING = ['pass', 'secret', 'token', 'key', 'psk', 'community', 'auth', 'priv', 'snmp', '://'];
const MAYBE = new RegExp(TELLING.join('|'), 'i');
/** The same in hexadecimal digits: `p` is 70, `P` is 50. */
const MAYBE_HEX = new RegExp(TELLING.map(hexPattern).join('|'), 'i');
const COMMANDS = { secrets: [...ciscoSecrets, TYPED, SSHPASS, ...ANYWHERE] };
const LINES = { secrets: ANYWHERE };
/** Log lines are not compared with each other, so no hash is kept of what was there. */
const noHash = () => '';

/** auditd writes what holds spaces or NULs as hexadecimal: whole command lines in PROCTITLE, single words in EXECVE. */
const HEX = /\b(?:proctitle|cmd|data|a\d+(?:\[\d+\])?)=((?:[0-9A-F]{2}){4,})/gi;

/** Text fields keep their form: `<removed:>` stands where a secret was. */
export function withoutSecrets(given: Event): Event {
  const event = withoutHexSecrets(given);
  const isCommand = event.kind === 'command' || event.command !== undefined;
  if (isCommand ? !MAYBE.test(event.raw) : !ANYWHERE.some(({ pattern }) => pattern.test(event.raw)))
    return event;
  const { command } = event;
  const cleaned = command === undefined ? undefined : redactCommand(command);
  const words = event.arguments && redactArguments(event.arguments);
  const clean = (text: string) => {
    let known = command && cleaned !== command ? text.replaceAll(command, () => cleaned!) : text;
    // auditd writes each word apart (a1="-p" a2="s3cret"): only together do they tell that one is a secret.
    words?.forEach((word, index) => {
      const before = event.arguments![index];
      if (before === word) return;
      known = known.replaceAll(before, () => word);
      const hex = Buffer.from(before).toString('hex');
      if (before.length >= 4)
        known = known.replaceAll(hex.toUpperCase(), () => word).replaceAll(hex, () => word);
    });
    return known
      .split('\n')
      .map((line) => redactLine(line, isCommand))
      .join('\n');
  };
  return {
    ...event,
    ...(cleaned !== undefined && { command: cleaned }),
    ...(words && { arguments: words }),
    message: clean(event.message),
    raw: clean(event.raw),
  };
}

function hexPattern(word: string): string {
  const digits = (letter: string) => letter.charCodeAt(0).toString(16);
  return [...word].map((letter) => `(?:${digits(letter)}|${digits(letter.toUpperCase())})`).join('');
}

function withoutHexSecrets(event: Event): Event {
  if (!MAYBE_HEX.test(event.raw)) return event;
  const raw = event.raw.replace(HEX, removeHex);
  return raw === event.raw ? event : { ...event, raw, message: event.message.replace(HEX, removeHex) };
}

function removeHex(field: string, hex: string): string {
  // Addresses and other numbers have this form too, and a line may hold thousands.
  if (!MAYBE_HEX.test(hex)) return field;
  const words = Buffer.from(hex, 'hex').toString('utf8').split('\0');
  const line = words.join(' ');
  const isSecret =
    redactCommand(line) !== line || redactArguments(words).some((word, index) => word !== words[index]);
  return isSecret ? field.replace(hex, '<removed:>') : field;
}

const COMMAND_LINES = { secrets: [TYPED, SSHPASS, ...ANYWHERE] };

function redactLine(line: string, isCommand: boolean): string {
  const logged = LOGGED_COMMAND.exec(line);
  if (logged) return logged[1] + redactCommand(logged[2]);
  return redact(line, isCommand ? COMMAND_LINES : LINES, noHash);
}

/** A configuration prints the commands of its sub-modes indented, a log does not. */
const redactCommand = (command: string): string =>
  redact(` ${redact(command, COMMANDS, noHash)}`, COMMANDS, noHash).slice(1);

/** The words of one command line, kept apart. */
function redactArguments(words: readonly string[]): string[] {
  return words.map((word, index) => {
    if (index === 0) return word;
    if (words[index - 1] === '-p' && /(?:^|\/)sshpass$/.test(words[0])) return '<removed:>';
    const both = redactCommand(`${words[index - 1]} ${word}`);
    return both.endsWith('<removed:>') ? both.slice(both.lastIndexOf(' ') + 1) : word;
  });
}
