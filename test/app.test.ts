import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { jobs } from '../jobs/index.ts';
import { type Finished, runPostern, startService, temporaryFolder } from './store/temporary.ts';

const oneLine = ({ code, stderr }: Finished, status: number, pattern: RegExp) => {
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  assert.deepEqual({ code, lines: lines.length }, { code: status, lines: 1 }, stderr);
  assert.match(lines[0], pattern);
};

test('first start, a second instance, SIGTERM, later start, kill -9, start again', async (t) => {
  const data = join(temporaryFolder(t), 'data');
  const first = await startService(t, { POSTERN_DATA: data });
  assert.match(first.greeting, /^Admin key, shown only this once: postern_[\w-]{43}$/m);
  assert.deepEqual(await (await fetch(`${first.url}/healthz`)).json(), { status: 'ok' });
  assert.deepEqual(await (await fetch(`${first.url}/readyz`)).json(), { postgres: true, clickhouse: true });

  const other = await runPostern(t, ['serve'], { POSTERN_DATA: data });
  oneLine(other, 1, new RegExp(`in use by another Postern \\(process ${first.child.pid}\\)`));

  const asked = performance.now();
  first.child.kill('SIGTERM');
  const { code, stderr } = await first.finished;
  assert.equal(code, 0, stderr);
  assert.ok(performance.now() - asked < 10_000);

  const second = await startService(t, { POSTERN_DATA: data });
  assert.doesNotMatch(second.greeting, /Admin key/);
  second.child.kill('SIGKILL');
  await second.finished;

  const third = await startService(t, { POSTERN_DATA: data });
  assert.doesNotMatch(third.greeting, /Admin key/);
  assert.equal((await fetch(`${third.url}/readyz`)).status, 200);
  third.child.kill('SIGINT');
  assert.equal((await third.finished).code, 0);
});

test('a taken port is named in one line', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((settle) => holder.once('listening', settle));
  t.after(() => holder.close());
  const { port } = holder.address() as { port: number };
  const finished = await runPostern(t, ['serve', '--api-port', String(port)], {
    POSTERN_DATA: join(temporaryFolder(t), 'data'),
  });
  oneLine(finished, 1, new RegExp(`port ${port}: another program has it`));
});

test('a start that cannot be says why in one line', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const POSTERN_DATA = join(folder, 'data');
  const [unwritable, unreachable, unknown, bad, nowhere] = await Promise.all([
    runPostern(t, ['serve'], { POSTERN_DATA: file }),
    runPostern(t, ['serve'], { POSTERN_DATA, DATABASE_URL: 'postgres://a:b@127.0.0.1:1/c' }),
    runPostern(t, ['serve'], { POSTERN_DATA, POSTERN_PRT: '1' }),
    runPostern(t, ['serve', '--roles', 'cook'], { POSTERN_DATA }),
    runPostern(t, ['serve', '--api-host', 'nowhere.invalid'], { POSTERN_DATA: join(folder, 'other') }),
  ]);
  oneLine(unwritable, 1, /cannot be written/);
  oneLine(unreachable, 1, /127\.0\.0\.1:1 \(DATABASE_URL\) does not answer/);
  oneLine(unknown, 1, /POSTERN_PRT is not a setting/);
  oneLine(bad, 1, /POSTERN_ROLES=cook is refused/);
  oneLine(nowhere, 1, /nowhere\.invalid.*set POSTERN_API_HOST/);
});

test('an admin key that could not be shown is not kept: the next start shows one', async (t) => {
  if (!existsSync('/dev/full')) {
    t.skip('there is no /dev/full');
    return;
  }
  const POSTERN_DATA = join(temporaryFolder(t), 'data');
  const full = openSync('/dev/full', 'w');
  const env = {
    PATH: process.env.PATH,
    POSTERN_DATA,
    POSTERN_API_PORT: '0',
    POSTERN_ENRICHMENT_FETCH: 'off',
  };
  const off = {
    POSTERN_NETFLOW_PORT: '0',
    POSTERN_IPFIX_PORT: '0',
    POSTERN_SFLOW_PORT: '0',
    POSTERN_IPFIX_TCP_PORT: '0',
    POSTERN_SYSLOG_PORT: '0',
  };
  const child = spawn(process.execPath, [WRAPPER, 'serve'], {
    env: { ...env, ...off },
    stdio: ['ignore', full, 'ignore'],
  });
  closeSync(full);
  assert.notEqual(await new Promise((settle) => child.once('exit', settle)), 0);
  const service = await startService(t, { POSTERN_DATA });
  assert.match(service.greeting, /^Admin key, shown only this once: postern_[\w-]{43}$/m);
  service.child.kill('SIGTERM');
});

test('the command line says how it is used', async (t) => {
  const [none, unknown, flag, help, serveHelp] = await Promise.all([
    runPostern(t, []),
    runPostern(t, ['bake']),
    runPostern(t, ['serve', '--bake']),
    runPostern(t, ['--help']),
    runPostern(t, ['serve', '--help']),
  ]);
  assert.equal(none.code, 2);
  oneLine(unknown, 2, /there is no command "bake"; postern --help/);
  oneLine(flag, 2, /--bake.*postern serve --help/);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^ {2}serve +run the service$/m);
  assert.equal(serveHelp.code, 0);
  assert.match(serveHelp.stdout, /POSTERN_API_PORT \[8080\]/);
});

const WRAPPER = fileURLToPath(new URL('../src/postern.mjs', import.meta.url));

function olderNode(): string | undefined {
  for (const folder of ['/usr/local/bin', '/usr/bin']) {
    try {
      const version = execFileSync(join(folder, 'node'), ['-p', 'process.versions.node'], {
        encoding: 'utf8',
      });
      if (Number(version.split('.')[0]) < 24) return join(folder, 'node');
    } catch {}
  }
  return undefined;
}

test('an older Node hands over to the one of the checkout, with arguments, status and signals', async (t) => {
  const node = olderNode();
  if (!node) {
    t.skip('there is no older Node on this machine');
    return;
  }
  const run = async (args: string[], ready?: RegExp) => {
    const env = {
      PATH: process.env.PATH,
      POSTERN_API_PORT: '0',
      POSTERN_DATA: join(temporaryFolder(t), 'data'),
    };
    const extra = {
      POSTERN_NETFLOW_PORT: '0',
      POSTERN_IPFIX_PORT: '0',
      POSTERN_SFLOW_PORT: '0',
      POSTERN_IPFIX_TCP_PORT: '0',
      POSTERN_ENRICHMENT_FETCH: 'off',
    };
    const child = spawn(node, [WRAPPER, ...args], {
      env: { ...env, ...extra },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (ready?.test(output)) child.kill('SIGTERM');
    });
    const code = await new Promise((settle) => child.once('close', settle));
    return { code, output };
  };
  const [help, unknown, served] = await Promise.all([
    run(['--help']),
    run(['bake']),
    run(['serve'], /listens on/),
  ]);
  assert.match(help.output, /postern COMMAND/);
  assert.equal(help.code, 0);
  assert.equal(unknown.code, 2);
  assert.equal(served.code, 0);
});

test('npm start ends with its service: a shell between them would leave it running', async (t) => {
  const folder = temporaryFolder(t);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    POSTERN_DATA: join(folder, 'data'),
    POSTERN_API_PORT: '0',
  };
  const off = {
    POSTERN_NETFLOW_PORT: '0',
    POSTERN_IPFIX_PORT: '0',
    POSTERN_SFLOW_PORT: '0',
    POSTERN_IPFIX_TCP_PORT: '0',
    POSTERN_SYSLOG_PORT: '0',
  };
  const npm = spawn('npm', ['start'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...env, ...off, POSTERN_ENRICHMENT_FETCH: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  npm.stderr.on('data', (chunk) => {
    log += chunk;
  });
  let output = '';
  npm.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.includes('Admin key')) npm.kill('SIGTERM');
  });
  // 'close' waits for the pipes, which a service that was left behind would hold open.
  const timer = setTimeout(() => process.kill(Number(/"pid":(\d+)/.exec(log)?.[1]), 'SIGKILL'), 30_000);
  await new Promise((settle) => npm.once('close', settle));
  clearTimeout(timer);
  assert.match(output, /listens on/, log);
  assert.match(log, /"msg":"stopping"/);
});

test('every job file is in the list of jobs', async () => {
  const helpers = new Set([
    'backend.ts',
    'definition.ts',
    'index.ts',
    'plugin.ts',
    'queues.ts',
    'workers.ts',
  ]);
  const files = readdirSync(new URL('../jobs/', import.meta.url)).filter((file) => !helpers.has(file));
  const names = files.map((file) => file.replace(/\.ts$/, ''));
  assert.deepEqual(jobs.map(({ name }) => name).sort(), names.sort());
});
