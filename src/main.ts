// arguments -> a subcommand's exit status
import { type Command, UsageError } from './model/command.ts';
import { PosternError } from './model/errors.ts';

/** Loaded when asked for: most commands need no database and should start at once. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<{ command: Command }> }> = {
  serve: { summary: 'run the service', load: () => import('./serve.ts') },
  demo: {
    summary: 'the service with a simulated network that misbehaves, to look at',
    load: () => import('./demo/command.ts'),
  },
  decode: {
    summary: 'flow datagrams in captures -> one JSON record a line',
    load: () => import('./packets/command.ts'),
  },
  rules: {
    summary: 'list the rules of a configuration and the lines that were not understood',
    load: () => import('./rules/command.ts'),
  },
  diff: {
    summary: 'what newly became possible between two configurations',
    load: () => import('./changes/command.ts'),
  },
  events: { summary: 'log lines -> one JSON event a line', load: () => import('./events/command.ts') },
  check: {
    summary: 'connect to a device, pull, read, and say what works',
    load: () => import('./snapshots/command.ts'),
  },
  audit: { summary: 'run the analytics over recorded evidence', load: () => import('./audit/command.ts') },
};

const help = () => `postern COMMAND [ARGUMENTS]

Tells what newly became possible through your routers and firewalls, and what the traffic did next.

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}\n`)
  .join('')}
postern COMMAND --help says more. Exit status: 0 fine, 1 findings or failure, 2 bad use or unreadable input.
`;

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(help());
    return 2;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    process.stderr.write(`postern: there is no command ${JSON.stringify(name)}; postern --help lists them\n`);
    return 2;
  }
  const { command } = await COMMANDS[name].load();
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  return command.run(rest);
}

/** Codes of errors that lie in what the user gave to read. */
const UNREADABLE_INPUT =
  /unreadable|unrecognised|^unknown-vendor|^bad-site|^capture-|^input|^not-flow-export/;

function report(name: string | undefined, error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`postern ${name}: ${error.message}; postern ${name} --help says more\n`);
    return 2;
  }
  if (error instanceof PosternError) {
    process.stderr.write(`postern: ${error.message}\n`);
    return UNREADABLE_INPUT.test(error.code) ? 2 : 1;
  }
  process.stderr.write(`postern: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}

// Whoever reads the output may stop reading: `postern rules FILE | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
const args = process.argv.slice(2);
process.exitCode = await main(args).catch((error) => report(args[0], error));
