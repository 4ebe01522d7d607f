import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { PosternError } from '../../src/model/errors.ts';
import { type PullTarget, pull } from '../../src/snapshots/pull.ts';
import { CONFIGURATION, execVendor, shellVendor } from './vendors.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));
const skip = SSHD ? false : 'OpenSSH server is not installed';
/** Where sshd as root puts its unprivileged half; made at boot where it runs as a service, so not there in a container. */
const PRIVSEP_FOLDER = '/run/sshd';
const OPTIONS = {
  now: () => performance.now(),
  bounds: { settleMs: 50, loginMs: 10_000, commandMs: 10_000 },
};

describe('pull from OpenSSH', { skip }, () => {
  let folder: string;
  const servers: ChildProcess[] = [];
  let target: PullTarget;
  let file: string;
  let log = '';

  before(async () => {
    if (process.getuid?.() === 0) await mkdir(PRIVSEP_FOLDER, { recursive: true, mode: 0o755 });
    folder = await mkdtemp(join(tmpdir(), 'postern-sshd-'));
    file = join(folder, 'rules');
    await writeFile(file, CONFIGURATION);
    for (const name of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    target = {
      name: 'edge1',
      address: 'localhost',
      port: await startServer(),
      username: userInfo().username,
      credential: { privateKey: await readFile(join(folder, 'user'), 'utf8') },
    };
  });

  /** One more sshd with the same keys; further lines of its configuration go before the others and so count. */
  async function startServer(...more: string[]): Promise<number> {
    const port = await freePort();
    const config = join(folder, `config-${port}`);
    const lines = [
      ...more,
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...(more.some((line) => line.startsWith('HostKey ')) ? [] : [`HostKey ${join(folder, 'host')}`]),
      `AuthorizedKeysFile ${join(folder, 'user.pub')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin yes',
      'PidFile none',
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const server = spawn(SSHD!, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    servers.push(server);
    server.stderr!.on('data', (chunk) => {
      log += chunk;
    });
    await listening(port, server);
    return port;
  }

  after(async () => {
    for (const server of servers) server.kill();
    if (folder) await rm(folder, { recursive: true });
  });

  const cat = () => ({ run: `cat ${file}`, endMarker: /^end\s*$/m });

  test('an exec channel gives the very text, and the key can be pinned', async () => {
    const vendor = { ...execVendor, session: { ...execVendor.session, commands: [cat()] } };
    const { text, hostKey, steps } = await pull({ ...target, address: '127.0.0.1' }, vendor, OPTIONS);
    assert.equal(text, CONFIGURATION);
    const printed = (await readFile(join(folder, 'host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
    assert.equal(hostKey, printed);
    const shown = steps.find(({ name }) => name === 'host-key')?.detail ?? '';
    const [, expected] = execFileSync('ssh-keygen', ['-lf', join(folder, 'host.pub')], {
      encoding: 'utf8',
    }).split(' ');
    assert.ok(shown.includes(expected), `${shown} shows ${expected}`);
    const again = await pull({ ...target, address: '127.0.0.1', hostKey }, vendor, OPTIONS);
    assert.equal(again.text, CONFIGURATION);
  });

  test('a command that fails is refused, not empty', async () => {
    const commands = [{ run: `cat ${file}.missing`, endMarker: /^/ }];
    const vendor = { ...execVendor, session: { ...execVendor.session, commands } };
    await assert.rejects(
      pull({ ...target, address: '127.0.0.1' }, vendor, OPTIONS),
      (error: PosternError) => error.code === 'command-refused' && /No such file/.test(error.message),
    );
  });

  test('a shell with escapes and bracketed paste gives the same text', async (t) => {
    const session = { ...shellVendor.session, enable: undefined, prompt: /[$#>] $/, commands: [cat()] };
    const pulled = pull({ ...target, address: '127.0.0.1' }, { ...shellVendor, session }, OPTIONS);
    const { text } = await pulled.catch(async (error) => {
      await new Promise((settle) => setTimeout(settle, 200));
      // An sshd of an ordinary user cannot give a terminal to the group "tty" where the system does not do it by itself.
      if (process.getuid?.() === 0 || !/chown\(\/dev\/pts\/.* failed/.test(log)) throw error;
      return { text: undefined };
    });
    if (text === undefined) t.skip('sshd of an ordinary user may not open a terminal on this system');
    else assert.equal(text, CONFIGURATION);
  });

  const local = () => ({ ...target, address: '127.0.0.1' });
  const catVendor = () => ({ ...execVendor, session: { ...execVendor.session, commands: [cat()] } });

  test('a jump host of OpenSSH leads to the device, and one that forwards nothing says so', async () => {
    const { name: _name, ...hop } = local();
    const through = await pull({ ...local(), jump: [hop] }, catVendor(), OPTIONS);
    assert.equal(through.text, CONFIGURATION);
    assert.deepEqual(through.jumpHostKeys, [through.hostKey]);
    const closed = { ...hop, port: await startServer('AllowTcpForwarding no') };
    await assert.rejects(
      pull({ ...local(), jump: [hop, closed] }, catVendor(), OPTIONS),
      (error: PosternError) =>
        error.code === 'forward-refused' && /allow TCP forwarding there/.test(error.message),
    );
    const gone = await freePort();
    await assert.rejects(
      pull({ ...local(), port: gone, jump: [hop] }, catVendor(), OPTIONS),
      (error: PosternError) => error.code === 'unreachable' && /cannot reach/.test(error.message),
    );
  });

  for (const [name, profile, lines] of [
    ['SHA-1 key exchange', 'sha1-kex', ['KexAlgorithms diffie-hellman-group14-sha1']],
    ['the oldest key exchange', 'sha1-kex', ['KexAlgorithms diffie-hellman-group1-sha1']],
    ['SHA-1 authentication codes', 'sha1-kex', ['MACs hmac-sha1', 'Ciphers aes128-ctr']],
    ['AES by CBC', 'cbc', ['Ciphers aes256-cbc']],
    ['triple DES', 'cbc', ['Ciphers 3des-cbc']],
    ['RSA by SHA-1', 'ssh-rsa', ['HostKeyAlgorithms ssh-rsa', 'HostKey rsa']],
    ['DSA', 'ssh-dss', ['HostKeyAlgorithms ssh-dss', 'HostKey dsa']],
  ] as const)
    test(`an OpenSSH that has only ${name} needs the profile ${profile}`, async (t) => {
      const more: string[] = lines.map((line) =>
        line.replace(/^HostKey (\w+)$/, (_all, key) => `HostKey ${join(folder, key)}`),
      );
      const key = lines.map((line) => /^HostKey (\w+)$/.exec(line)?.[1]).find(Boolean);
      try {
        if (key)
          execFileSync('ssh-keygen', ['-q', '-t', key, '-N', '', '-f', join(folder, key)], { stdio: 'pipe' });
      } catch {
        return t.skip(`this OpenSSH makes no ${key} keys`);
      }
      const port = await startServer(...more).catch((error) => error as Error);
      if (port instanceof Error) return t.skip(`this OpenSSH does not know ${name}`);
      await assert.rejects(
        pull({ ...local(), port }, catVendor(), OPTIONS),
        (error: PosternError) =>
          error.code === 'no-common-algorithms' && error.message.includes(`legacy profile ${profile} (`),
      );
      const result = await pull({ ...local(), port, legacyProfiles: [profile] }, catVendor(), OPTIONS);
      assert.equal(result.text, CONFIGURATION);
      assert.deepEqual(result.algorithms.legacyProfiles, [profile]);
    });

  test('a user without a key is refused', async () => {
    await assert.rejects(
      pull({ ...target, address: '127.0.0.1', credential: { password: 'x' } }, execVendor, OPTIONS),
      (error: PosternError) => error.code === 'login-failed' && /device takes publickey/.test(error.message),
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number, server: ChildProcess): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (server.exitCode !== null) throw new Error(`sshd ended with ${server.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('sshd does not listen');
}
