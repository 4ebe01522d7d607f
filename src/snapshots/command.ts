// `postern check`: connect, pull, read, and say what works
import { createHmac, randomBytes } from 'node:crypto';
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { Command } from '../model/command.ts';
import { PosternError } from '../model/errors.ts';
import { HELP, readArguments } from './arguments.ts';
import { pull } from './pull.ts';
import { countRedactions } from './redact.ts';
import { take } from './take.ts';
import type { PullResult, PullStep, PullTarget, StepName } from './target.ts';

export const command: Command = {
  name: 'check',
  summary: 'connect to a device, pull and read its configuration, and say what works',
  help: HELP,
  run: check,
};

async function check(args: readonly string[]): Promise<number> {
  // The person names the variables, so they are no settings.
  const { definition, target } = await readArguments(args, process.env);
  const print = (name: string, text: string) => process.stdout.write(`${name.padEnd(10)} ${text}\n`);
  const now = () => performance.timeOrigin + performance.now();
  let last: StepName | undefined;
  const onStep = (step: PullStep) => {
    last = step.name;
    print(step.name, stepText(step));
  };
  let result: PullResult;
  try {
    result = await pull(target, definition, { now, onStep });
  } catch (error) {
    if (!(error instanceof PosternError)) throw error;
    const at = STEP_OF[error.code] ?? (last ? `after ${last}` : 'at the start');
    print('FAILED', `${at}: ${error.code}: ${error.message}`);
    return 1;
  }
  return report(result, definition, target, print);
}

/** The step that an error is about. Others may come in any step; then the last that ended is named. */
const STEP_OF: Readonly<Record<string, string>> = {
  'address-unknown': 'resolve',
  'connect-timeout': 'connect',
  'connection-refused': 'connect',
  unreachable: 'connect',
  'forward-refused': 'connect',
  'handshake-failed': 'handshake',
  'no-common-algorithms': 'handshake',
  'host-key-changed': 'host-key',
  'bad-private-key': 'login',
  'login-failed': 'login',
  'prompt-timeout': 'prompt',
  'enable-failed': 'enable',
  'command-refused': 'command',
  'command-timeout': 'command',
  truncated: 'command',
  'output-too-large': 'command',
};

function report(
  result: PullResult,
  definition: DeviceDefinition,
  target: PullTarget,
  print: (name: string, text: string) => void,
): number {
  const key = randomBytes(32);
  const { text, complete } = take(result.text, definition, (secret) =>
    createHmac('sha256', key).update(secret).digest('hex').slice(0, 16),
  );
  print('end', complete ? 'the configuration is complete' : 'the end marker is missing');
  print('redact', `${countRedactions(text)} secrets removed`);
  const { rules, policies, interfaces, unread } = definition.read(text);
  const kinds = new Map<string, number>();
  for (const { kind } of rules) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const list = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  print(
    'read',
    `${rules.length} rules${list && ` (${list})`}, ${policies.length} policies, ${interfaces.length} interfaces`,
  );
  print('unread', `${unread.length} lines of rule-bearing sections were not understood`);
  for (const { number, text: line } of unread.slice(0, 5))
    print(
      '',
      `line ${number}: ${line
        .replace(/\p{Cc}/gu, ' ')
        .trim()
        .slice(0, 120)}`,
    );
  const { legacyProfiles } = result.algorithms;
  if (legacyProfiles.length > 0)
    print(
      'legacy',
      `this session needed ${legacyProfiles.join(', ')}; update the device where that can be done`,
    );
  for (const [i, { hostKey }] of (target.jump ?? []).entries())
    if (hostKey === undefined) print('pin', `--jump-host-key '${result.jumpHostKeys[i]}'`);
  if (target.hostKey === undefined) print('pin', `--host-key '${result.hostKey}'`);
  if (!complete) {
    print('FAILED', 'truncated: this pull would not be stored');
    return 1;
  }
  print('OK', `${result.byteCount} bytes in ${Math.round(result.durationMs)} ms; this device can be watched`);
  return 0;
}

function stepText({ detail, byteCount, durationMs }: PullStep): string {
  const size = byteCount === undefined ? '' : `${byteCount} bytes, `;
  return `${detail} (${size}${durationMs < 10 ? durationMs.toFixed(1) : Math.round(durationMs)} ms)`;
}
