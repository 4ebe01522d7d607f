// rsyslog and logger of this machine -> Postern's receiver, over TLS with client certificates, TCP and UDP
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { compileOrigins, relaysOf } from '../../src/events/origin.ts';
import { type Receiver, startReceiver } from '../../src/events/receive.ts';
import { readTlsFiles } from '../../src/events/tls.ts';
import { NO_ADDRESSES } from '../../src/model/addresses.ts';
import type { Event } from '../../src/model/event.ts';
import { type Authority, createAuthority } from '../events/certificates.ts';
import { createDaemons, run, waitFor } from './processes.ts';
import { isContinuousIntegration, lacking } from './requirements.ts';

const DRIVERS = [
  ['ossl', 'rsyslog-openssl'],
  ['gtls', 'rsyslog-gnutls'],
] as const;
const skip = lacking('rsyslogd', 'logger', 'openssl');

/** Debian packages each TLS driver of rsyslog by itself. */
function lackingDriver(driver: string, debianPackage: string): string | false {
  if (skip) return skip;
  if (globSync(`/usr/lib{,/*}/rsyslog/lmnsd_${driver}.so`).length > 0) return false;
  if (isContinuousIntegration()) throw new Error(`the lab cannot run: ${debianPackage} not installed`);
  return `${debianPackage} not installed`;
}

const stored: Event[] = [];
const folder = mkdtempSync(join(tmpdir(), 'postern-lab-tls-'));
const daemons = createDaemons(folder);
let receiver: Receiver;
const authority: Authority = skip ? undefined! : createAuthority();

before(async () => {
  if (skip) return;
  const server = authority.issue('server', 'localhost', 'DNS:localhost,IP:127.0.0.1');
  const hosts = [
    { name: 'web1', addresses: [], aliases: ['web1.example.net'] },
    { name: 'db1', addresses: [], aliases: [] },
  ];
  receiver = await startReceiver({
    host: '127.0.0.1',
    port: 0,
    tls: {
      port: 0,
      clients: 'required',
      material: await readTlsFiles({
        certificate: server.cert,
        key: server.key,
        authorities: authority.ca,
      }),
    },
    registry: compileOrigins(hosts, [], relaysOf(['relay.example.net'])),
    senders: NO_ADDRESSES,
    maxConnections: 100,
    idleTimeoutMs: 60_000,
    maxQueuedEvents: 10_000,
    flushEveryMs: 50,
    now: Date.now,
    store: async (batch) => {
      stored.push(...batch);
    },
    onEvents: () => undefined,
    onError: assert.ifError,
  });
});

after(async () => {
  await daemons.stopAll();
  await receiver?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function configuration(driver: string, name: string, files: { cert: string; key: string }): string {
  return `global(workDirectory="${folder}/${name}" defaultNetstreamDriver="${driver}"
  defaultNetstreamDriverCAFile="${authority.ca}"
  defaultNetstreamDriverCertFile="${files.cert}" defaultNetstreamDriverKeyFile="${files.key}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${folder}/${name}/log")
action(type="omfwd" protocol="tcp" target="127.0.0.1" port="${receiver.tlsPort}" tcp_framing="octet-counted"
  streamDriver="${driver}" streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="localhost"
  template="RSYSLOG_SyslogProtocol23Format")
`;
}

async function startRsyslog(driver: string, name: string, certificate: string, inputs = ''): Promise<string> {
  const home = join(folder, name);
  mkdirSync(home);
  const files = authority.issue(name, certificate, `DNS:${certificate}`);
  writeFileSync(join(home, 'rsyslog.conf'), inputs + configuration(driver, name, files));
  const paths = ['-f', join(home, 'rsyslog.conf'), '-i', join(home, 'pid')];
  daemons.start(name, ['rsyslogd', '-n', ...paths]);
  const socket = join(home, 'log');
  await waitFor('the socket of rsyslog', () => existsSync(socket), 10_000).catch((error) => {
    throw new Error(`${error.message}: ${daemons.log(name)}`);
  });
  return socket;
}

const arrived = (text: string) =>
  waitFor(`"${text}"`, () => stored.find(({ message }) => message.includes(text)), 15_000);

for (const [driver, debianPackage] of DRIVERS)
  test(`rsyslog with ${driver} is known by its certificate`, {
    skip: lackingDriver(driver, debianPackage),
  }, async () => {
    const socket = await startRsyslog(driver, driver, 'web1.example.net');
    await run(['logger', '-u', socket, '-p', 'auth.info', '-t', 'sshd', `hello by ${driver}`]);
    const event = await arrived(`hello by ${driver}`);
    assert.deepEqual(
      [event.identity, event.origin, event.originBasis, event.program, event.facility, event.severity],
      ['web1.example.net', 'web1', 'certificate', 'sshd', 4, 6],
    );
    assert.equal(event.sender, '127.0.0.1');
    const long = `${driver} ${'long '.repeat(1500)}end`;
    await run(['logger', '-u', socket, '--size', '16000', long]);
    assert.ok((await arrived(`${driver} long`)).raw.endsWith('end'), 'a line of 7.5 KB is whole');
  });

test('a relay with a certificate tells for whom it speaks', {
  skip: lackingDriver(...DRIVERS[0]),
}, async () => {
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port } = udp.address();
  await new Promise<void>((done) => udp.close(done));
  await startRsyslog(
    'ossl',
    'relay',
    'relay.example.net',
    `module(load="imudp") input(type="imudp" address="127.0.0.1" port="${port}")\n`,
  );
  const from = createSocket('udp4');
  const stamp = new Date().toISOString();
  for (const host of ['DB1', 'stranger'])
    from.send(`<86>1 ${stamp} ${host} sshd 7 - - relayed from ${host}`, port, '127.0.0.1');
  const told = [await arrived('relayed from DB1'), await arrived('relayed from stranger')];
  from.close();
  assert.deepEqual(
    told.map(({ identity, host, origin, originBasis }) => [identity, host, origin, originBasis]),
    [
      ['relay.example.net', 'DB1', 'db1', 'host-name'],
      ['relay.example.net', 'stranger', undefined, undefined],
    ],
  );
});

test('logger sends by UDP and TCP, framed either way', { skip }, async () => {
  const to = ['-n', '127.0.0.1', '-P', String(receiver.port), '-t', 'app'];
  await run(['logger', ...to, '-d', '--rfc5424', 'datagram of today']);
  await run(['logger', ...to, '-d', '--rfc3164', 'datagram of old']);
  await run(['logger', ...to, '-T', '--octet-count', 'counted']);
  await run(['logger', ...to, '-T', 'by its line end']);
  for (const text of ['datagram of today', 'datagram of old', 'counted', 'by its line end']) {
    const event = await arrived(text);
    assert.deepEqual([event.program, event.message], ['app', text]);
    assert.ok(Math.abs(event.receivedAtMs - event.observedAtMs) < 2000, `${event.raw}`);
  }
});
