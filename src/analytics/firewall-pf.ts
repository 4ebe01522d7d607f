// words of pfctl, socketfilterfw and `defaults` of macOS's application firewall -> operations
import type { FirewallEffect, Operation } from './firewall-command.ts';
import type { SimpleCommand } from './simple-commands.ts';

/** Options of pfctl(8) that take a value. */
const PFCTL_VALUES = 'aDFfIiKkopstTXx';

const TABLE_COMMANDS: Readonly<Record<string, FirewallEffect>> = {
  add: 'adds',
  delete: 'removes',
  flush: 'flushes',
  kill: 'flushes',
  replace: 'replaces',
  load: 'adds',
  expire: 'removes',
  show: 'reads',
  test: 'reads',
  zero: 'zeroes',
};

/** One operation an option that does something: `-e -f /etc/pf.conf` enables and loads. Never throws. */
export function readPfctl({ args, redirections }: SimpleCommand): readonly Operation[] {
  const options: { letter: string; value?: string }[] = [];
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (!/^-./.test(word)) {
      rest.push(word);
      continue;
    }
    for (let i = 1; i < word.length; i++) {
      if (!PFCTL_VALUES.includes(word[i])) {
        options.push({ letter: word[i] });
        continue;
      }
      options.push({ letter: word[i], value: word.slice(i + 1) || args[++at] });
      break;
    }
  }
  const value = (letter: string) => options.find((option) => option.letter === letter)?.value;
  const isCheck = options.some(({ letter }) => letter === 'n');
  const anchor = value('a');
  const table = value('t');
  const where = { tool: 'pfctl' as const, ...(anchor === undefined ? {} : { chain: anchor }) };
  const input = redirections.find((text) => /^0?<[^<&]/.test(text))?.replace(/^0?</, '');
  const object = anchor === undefined ? ('ruleset' as const) : ('anchor' as const);
  return options.flatMap(({ letter, value: own }): Operation[] => {
    switch (letter) {
      case 'd':
        return [{ ...where, effect: 'disables', object: 'ruleset' }];
      // macOS: -X gives back the reference that -E took; the last one disables.
      case 'X':
        return [{ ...where, effect: 'disables', object: 'ruleset' }];
      case 'e':
      case 'E':
        return [{ ...where, effect: 'enables', object: 'ruleset' }];
      case 'f':
        return [
          {
            ...where,
            effect: isCheck ? 'checks' : 'loads-file',
            object,
            file: own === '-' ? (input ?? '-') : own,
          },
        ];
      case 'F':
        return [{ ...where, effect: flushEffect(own), object, ...(own ? { name: own } : {}) }];
      case 's':
        return [{ ...where, effect: 'reads', object: 'ruleset' }];
      case 'T':
        return tableOperation(own, { ...where, ...(table ? { name: table } : {}) }, rest);
      default:
        return [];
    }
  });
}

/** States, counters and the like are no rules; a beginning of the word does (pfctl -Fa). */
function flushEffect(modifier = ''): FirewallEffect {
  return /^(?:a|r|n|q|e|T)/.test(modifier) ? 'flushes' : 'zeroes';
}

function tableOperation(
  command: string | undefined,
  where: Pick<Operation, 'tool' | 'name'>,
  rest: readonly string[],
): Operation[] {
  const verb = Object.keys(TABLE_COMMANDS).find(
    (name) => command !== undefined && command !== '' && name.startsWith(command),
  );
  if (!verb) return [];
  return [
    {
      ...where,
      effect: TABLE_COMMANDS[verb],
      object: 'element',
      ...(rest.length > 0 ? { sources: rest.slice(0, 50) } : {}),
    },
  ];
}

/** Each option with its value when it is on -> when it is off. */
const SWITCHES: Readonly<Record<string, readonly [FirewallEffect, FirewallEffect]>> = {
  '--setglobalstate': ['enables', 'disables'],
  '--setblockall': ['drops-by-default', 'accepts-by-default'],
  '--setstealthmode': ['sets', 'sets'],
  '--setallowsigned': ['opens', 'closes'],
  '--setallowsignedapp': ['opens', 'closes'],
  '--setloggingmode': ['sets', 'sets'],
  '--setloggingopt': ['sets', 'sets'],
};
const PROGRAMS: Readonly<Record<string, FirewallEffect>> = {
  '--add': 'opens',
  '--unblockapp': 'opens',
  '--unblock': 'opens',
  '--blockapp': 'closes',
  '--block': 'closes',
  '--remove': 'removes',
};

/** Never throws. */
export function readSocketFilter({ args }: SimpleCommand): readonly Operation[] {
  return args.flatMap((word, i): Operation[] => {
    const value = args[i + 1];
    if (Object.hasOwn(SWITCHES, word)) {
      const isOn = /^(?:on|1|true|yes)$/i.test(value ?? '');
      const object =
        word === '--setglobalstate' ? 'ruleset' : word === '--setblockall' ? 'policy' : 'setting';
      return [
        {
          tool: 'socketfilterfw',
          effect: SWITCHES[word][isOn ? 0 : 1],
          object,
          name: word.slice(5),
          target: isOn ? 'on' : 'off',
        },
      ];
    }
    if (Object.hasOwn(PROGRAMS, word))
      return [
        {
          tool: 'socketfilterfw',
          effect: PROGRAMS[word],
          object: 'program',
          ...(value ? { name: value } : {}),
        },
      ];
    return /^--(?:get|list)/.test(word)
      ? [{ tool: 'socketfilterfw', effect: 'reads', object: 'setting' }]
      : [];
  });
}

/** `defaults write /Library/Preferences/com.apple.alf globalstate -int 0`: the same by its preferences. */
export function readAlfDefaults({ args }: SimpleCommand): readonly Operation[] {
  const [verb, domain = '', key, ...values] = args;
  if (!/com\.apple\.alf(?:\.plist)?$/.test(domain)) return [];
  const off = values.some((value) => /^(?:0|false|no)$/i.test(value));
  if (verb !== 'write')
    return [{ tool: 'socketfilterfw', effect: verb === 'delete' ? 'sets' : 'reads', object: 'setting' }];
  const effect = key === 'globalstate' ? (off ? 'disables' : 'enables') : 'sets';
  return [
    {
      tool: 'socketfilterfw',
      effect,
      object: key === 'globalstate' ? 'ruleset' : 'setting',
      ...(key ? { name: key } : {}),
    },
  ];
}
