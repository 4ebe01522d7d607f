// words behind a command that runs another (sudo, env, sh -c, ip netns exec) -> the other's words or script
import type { Piece } from './command-words.ts';

export interface Prefixed {
  readonly words?: readonly Piece[];
  readonly script?: string;
  readonly namespace?: string;
}

interface Prefix {
  /** Short options that take a value, as letters. */
  readonly short?: string;
  /** Long options that take a value as the next word. */
  readonly long?: readonly string[];
  /** Words between the options and the command: a duration, a folder. */
  readonly operands?: number;
}

const PREFIXES: Readonly<Record<string, Prefix>> = {
  sudo: {
    short: 'ughpCrtTUDR',
    long: ['user', 'group', 'host', 'prompt', 'close-from', 'role', 'type', 'chdir', 'chroot'],
  },
  doas: { short: 'uCa' },
  pkexec: { long: ['user'] },
  env: { short: 'uC', long: ['unset', 'chdir'] },
  nohup: {},
  setsid: {},
  timeout: { short: 'sk', long: ['signal', 'kill-after'], operands: 1 },
  nice: { short: 'n', long: ['adjustment'] },
  ionice: { short: 'cn', long: ['class', 'classdata'] },
  chrt: { short: 'TPD', operands: 1 },
  taskset: { operands: 1 },
  stdbuf: { short: 'ioe', long: ['input', 'output', 'error'] },
  chroot: { long: ['userspec', 'groups'], operands: 1 },
  exec: { short: 'a' },
  command: {},
  builtin: {},
  time: { short: 'fo' },
  xargs: { short: 'adEILnPs', long: ['max-args', 'max-procs', 'arg-file', 'delimiter'] },
  watch: { short: 'n', long: ['interval'] },
  strace: { short: 'abeEoOPSuI' },
  ltrace: { short: 'aAdDeFloOpuwx' },
  unshare: { short: 'SGRw', long: ['setuid', 'setgid', 'root', 'wd'] },
  'systemd-run': {
    short: 'MHupE',
    long: ['unit', 'property', 'uid', 'gid', 'setenv', 'slice', 'description'],
  },
  'systemd-inhibit': { long: ['what', 'who', 'why', 'mode'] },
  setpriv: { long: ['reuid', 'regid', 'groups', 'inh-caps', 'ambient-caps', 'bounding-set'] },
  busybox: {},
  toybox: {},
  proot: { short: 'rbwRSq' },
  unbuffer: {},
  'dbus-run-session': {},
  'ld-linux-x86-64.so.2': { long: ['library-path', 'preload', 'argv0'] },
};

const SHELL = /^(?:ba|da|a|z|k|mk|pdk|rba|c|tc|fi|ya)?sh(?:-\d\S{0,8})?$/;
export const isShell = (name: string): boolean => SHELL.test(name);

/** undefined where `name` runs no other command, or what it runs is not among the words. */
export function prefixOf(name: string, words: readonly Piece[]): Prefixed | undefined {
  if (isShell(name)) return shellScript(words) ?? interpreted(words, 'oO');
  if (/^python[\d.]{0,6}$/.test(name)) return interpreted(words, 'WX');
  if (/^(?:perl|ruby)[\d.]{0,8}$/.test(name)) return interpreted(words, 'I');
  switch (name) {
    case 'su':
    case 'runuser':
      return switchedUser(words);
    case 'ip':
      return inNamedNamespace(words);
    case 'nsenter':
      return entered(words);
    case 'flock':
      return locked(words);
    case 'script':
      return scriptOption(words, 'c', 'command');
    case 'docker':
    case 'podman':
    case 'nerdctl':
    case 'crictl':
      return inContainer(words);
    case 'eval':
      return { script: words.map(({ text }) => text).join(' ') };
    case 'capsh':
      return shellScript(words.slice(words.findIndex(({ text }) => text === '--') + 1));
  }
  const prefix = Object.hasOwn(PREFIXES, name) ? PREFIXES[name] : undefined;
  if (!prefix) return undefined;
  const split = splitString(name, words);
  if (split !== undefined) return { script: split };
  const rest = afterOptions(words, prefix);
  const at = rest.findIndex(({ text }) => !/^[A-Za-z_]\w{0,63}=/.test(text));
  if (at < 0) return undefined;
  const isOwnNetwork =
    name === 'unshare' && words.some(({ text }) => /^(?:-[a-zA-Z]*n[a-zA-Z]*|--net)/.test(text));
  return { words: rest.slice(at), ...(isOwnNetwork ? { namespace: 'unshare' } : {}) };
}

/** Words behind the options and operands. */
function afterOptions(
  words: readonly Piece[],
  { short = '', long = [], operands = 0 }: Prefix,
): readonly Piece[] {
  let at = 0;
  for (; at < words.length; at++) {
    const { text } = words[at];
    if (text === '--') {
      at++;
      break;
    }
    if (!/^-./.test(text)) break;
    if (text.startsWith('--')) {
      if (long.includes(text.slice(2))) at++;
    } else if (takesNext(text, short)) at++;
  }
  return words.slice(at + operands);
}

/** Whether a cluster of short options ends with one whose value is the next word. */
function takesNext(cluster: string, short: string): boolean {
  for (let i = 1; i < cluster.length; i++) if (short.includes(cluster[i])) return i === cluster.length - 1;
  return false;
}

/** `env -S "VAR=1 nft ..."` */
function splitString(name: string, words: readonly Piece[]): string | undefined {
  if (name !== 'env') return undefined;
  const at = words.findIndex(({ text }) => /^(?:-[a-zA-Z]{0,8}S|--split-string)/.test(text));
  if (at < 0) return undefined;
  const own = words[at].text.replace(/^(?:-[a-zA-Z]{0,8}?S|--split-string=?)/, '');
  return [own, ...words.slice(at + 1).map(({ text }) => text)].join(' ');
}

/** `-c`, `-lc`, `-o pipefail -c`: the script is the first word that is no option. */
function shellScript(words: readonly Piece[]): Prefixed | undefined {
  let isScript = false;
  let at = 0;
  for (; at < words.length; at++) {
    const { text } = words[at];
    if (!/^[-+]./.test(text)) break;
    if (text === '--') {
      at++;
      break;
    }
    if (text.startsWith('--')) {
      if (text === '--rcfile' || text === '--init-file') at++;
    } else {
      isScript ||= text.startsWith('-') && text.includes('c');
      if (/^[-+][a-zA-Z]*[oO]$/.test(text)) at++;
    }
  }
  if (!isScript || at >= words.length) return undefined;
  return { script: scriptFrom(words.slice(at)) };
}

/**
 * What the kernel runs for a script with "#!" in front (execve(2)): the interpreter, its option, the script's path, the arguments.
 * ufw and firewall-cmd are such. Code given as an option's value is no script.
 */
function interpreted(words: readonly Piece[], short: string): Prefixed | undefined {
  for (const { text } of words) {
    if (!/^[-+]./.test(text)) break;
    if (/^-[a-zA-Z]{0,8}[cmeEn]$/.test(text)) return undefined;
  }
  const rest = afterOptions(words, { short });
  return rest.length > 0 && rest[0].text.length > 0 ? { words: rest } : undefined;
}

/** A line that was joined from words has lost the quotes around the script: then all of the rest is it. */
function scriptFrom(words: readonly Piece[]): string {
  return words[0].isQuoted ? words[0].text : words.map(({ text }) => text).join(' ');
}

function scriptOption(words: readonly Piece[], short: string, long: string): Prefixed | undefined {
  for (const [at, { text }] of words.entries()) {
    if (text.startsWith(`--${long}=`)) return { script: text.slice(long.length + 3) };
    const isOption = text === `--${long}` || (/^-[a-zA-Z]{1,9}$/.test(text) && text.endsWith(short));
    if (isOption && words[at + 1]) return { script: scriptFrom(words.slice(at + 1)) };
  }
  return undefined;
}

function switchedUser(words: readonly Piece[]): Prefixed | undefined {
  const script = scriptOption(words, 'c', 'command');
  if (script) return script;
  // runuser -u USER [--] COMMAND
  const at = words.findIndex(({ text }) => text === '-u' || text.startsWith('--user'));
  if (at < 0) return undefined;
  const rest = afterOptions(words, { short: 'ugGw', long: ['user', 'group'] });
  return rest.length > 0 ? { words: rest } : undefined;
}

/** ip [-all] netns exec NAME COMMAND; ip vrf exec NAME COMMAND (ip-netns(8), any abbreviation) */
function inNamedNamespace(words: readonly Piece[]): Prefixed | undefined {
  const at = words.findIndex(({ text }) => !text.startsWith('-'));
  const [object, verb, name, ...rest] = words.slice(Math.max(at, 0));
  if (!verb || !/^(?:ex|exe|exec)$/.test(verb.text)) return undefined;
  const isAll = words.slice(0, at).some(({ text }) => /^-{1,2}all?$/.test(text));
  if (/^netns?$|^netn$/.test(object.text))
    return isAll ? { words: [name, ...rest], namespace: 'all' } : { words: rest, namespace: name?.text };
  return object.text === 'vrf' ? { words: rest } : undefined;
}

/** nsenter(1). Values of short options are optional and glued; only --target and its like take the next word. */
function entered(words: readonly Piece[]): Prefixed | undefined {
  const long = ['target', 'setuid', 'setgid', 'wd', 'wdns', 'root'];
  const rest = afterOptions(words, { short: 'tSG', long });
  if (rest.length === 0) return undefined;
  const options = words.slice(0, words.length - rest.length).map(({ text }) => text);
  const line = options.join(' ');
  const isNet = options.some((text) => /^(?:-[a-zA-Z]*[na][a-zA-Z/]*|--net|--all)/.test(text));
  const isFirst = /(?:^| )(?:-[a-zA-Z]*t ?|--target[ =])1(?: |$)/.test(line);
  return { words: rest, ...(isNet && !isFirst ? { namespace: `nsenter ${line}`.slice(0, 100) } : {}) };
}

/** flock [options] FILE COMMAND, or FILE -c SCRIPT */
function locked(words: readonly Piece[]): Prefixed | undefined {
  const rest = afterOptions(words, {
    short: 'wE',
    long: ['wait', 'timeout', 'conflict-exit-code'],
    operands: 1,
  });
  if (rest[0]?.text === '-c' || rest[0]?.text === '--command')
    return rest[1] && { script: scriptFrom(rest.slice(1)) };
  return rest.length > 0 ? { words: rest } : undefined;
}

/** docker exec [options] CONTAINER COMMAND */
function inContainer(words: readonly Piece[]): Prefixed | undefined {
  const at = words.findIndex(({ text }) => text === 'exec');
  if (at < 0) return undefined;
  const rest = afterOptions(words.slice(at + 1), {
    short: 'uew',
    long: ['user', 'env', 'env-file', 'workdir'],
  });
  if (rest.length < 2) return undefined;
  return { words: rest.slice(1), namespace: `container ${rest[0].text}`.slice(0, 100) };
}
