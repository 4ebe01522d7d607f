import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { Algorithms } from 'ssh2';
import { algorithmsFor, LEGACY_PROFILES, type LegacyProfile } from '../../src/snapshots/algorithms.ts';
import { readOffer } from '../../src/snapshots/offer.ts';
import { pull } from '../../src/snapshots/pull.ts';
import { failsWith, OPTIONS, start, targetAt } from './targets.ts';
import { EDGE, shellVendor } from './vendors.ts';

const pem = { type: 'pkcs1', format: 'pem' } as const;
const rsa = (bits: number): string =>
  generateKeyPairSync('rsa', { modulusLength: bits, privateKeyEncoding: pem, publicKeyEncoding: pem })
    .privateKey;
/** ssh2 reads DSA keys in the old PEM form only (SSLeay: p, q, g, y, x), which crypto does not write. */
function dsa(): string {
  const { privateKey, publicKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
  const integers = (der: Buffer): Buffer[] => {
    const found: Buffer[] = [];
    const walk = (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; ) {
        const tag = bytes[at];
        let length = bytes[at + 1];
        let from = at + 2;
        if (length & 0x80) {
          const size = length & 0x7f;
          length = bytes.readUIntBE(from, size);
          from += size;
        }
        const body = bytes.subarray(from, from + length);
        if (tag === 0x30) walk(body);
        else if (tag === 0x03) walk(body.subarray(1));
        else if (tag === 0x04) walk(body);
        else if (tag === 0x02) found.push(body);
        at = from + length;
      }
    };
    walk(der);
    return found;
  };
  const [p, q, g, y] = integers(publicKey.export({ type: 'spki', format: 'der' }));
  const x = integers(privateKey.export({ type: 'pkcs8', format: 'der' })).at(-1)!;
  const der = (tag: number, body: Buffer): Buffer => {
    const size = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
    return Buffer.concat([Buffer.from([tag, ...size]), body]);
  };
  const zero = Buffer.from([0]);
  const body = der(0x30, Buffer.concat([zero, p, q, g, y, x].map((value) => der(0x02, value))));
  const lines = body
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return `-----BEGIN DSA PRIVATE KEY-----\n${lines}\n-----END DSA PRIVATE KEY-----\n`;
}

interface OldDevice {
  readonly algorithms: Partial<Record<keyof Algorithms, readonly string[]>>;
  readonly hostKey?: string;
  readonly needs: readonly LegacyProfile[];
  readonly lacks: RegExp;
}

/** A switch of 2005: it has nothing that is modern. */
const ANCIENT: OldDevice = {
  algorithms: {
    kex: ['diffie-hellman-group1-sha1'],
    cipher: ['3des-cbc', 'aes128-cbc'],
    hmac: ['hmac-sha1', 'hmac-md5'],
    serverHostKey: ['ssh-rsa'],
  },
  hostKey: rsa(1024),
  needs: ['sha1-kex', 'cbc', 'ssh-rsa'],
  lacks:
    /no common key exchange \(it offers diffie-hellman-group1-sha1\), no common host key \(it offers ssh-rsa\), no common cipher \(it offers 3des-cbc, aes128-cbc\)/,
};

const OLD: Readonly<Record<string, OldDevice>> = {
  'SHA-1 key exchange, group 14': {
    algorithms: { kex: ['diffie-hellman-group14-sha1'] },
    needs: ['sha1-kex'],
    lacks: /no common key exchange \(it offers diffie-hellman-group14-sha1/,
  },
  'SHA-1 key exchange, group 1': {
    algorithms: { kex: ['diffie-hellman-group1-sha1'] },
    needs: ['sha1-kex'],
    lacks: /no common key exchange/,
  },
  'SHA-1 authentication codes': {
    algorithms: { cipher: ['aes128-ctr'], hmac: ['hmac-sha1', 'hmac-md5'] },
    needs: ['sha1-kex'],
    lacks: /no common message authentication \(it offers hmac-sha1, hmac-md5\)/,
  },
  'AES by CBC': { algorithms: { cipher: ['aes128-cbc'] }, needs: ['cbc'], lacks: /no common cipher/ },
  'triple DES': { algorithms: { cipher: ['3des-cbc'] }, needs: ['cbc'], lacks: /it offers 3des-cbc\)/ },
  'RSA by SHA-1': {
    algorithms: { serverHostKey: ['ssh-rsa'] },
    hostKey: rsa(2048),
    needs: ['ssh-rsa'],
    lacks: /no common host key \(it offers ssh-rsa\)/,
  },
  DSA: {
    algorithms: { serverHostKey: ['ssh-dss'] },
    hostKey: dsa(),
    needs: ['ssh-dss'],
    lacks: /no common host key \(it offers ssh-dss\)/,
  },
  'everything old': ANCIENT,
};

describe('legacy profiles', { concurrency: 4 }, () => {
  for (const [name, { algorithms, hostKey, needs, lacks }] of Object.entries(OLD)) {
    test(`${name}: refused, and it is said that ${needs.join(' and ')} would help`, async (t) => {
      const device = { ...EDGE, algorithms: algorithms as unknown as Algorithms };
      const { port, passwords } = await start(t, device, hostKey);
      const profiles = `legacy profiles? ${needs.join(',')} \\(`;
      for (const legacyProfiles of [[], LEGACY_PROFILES.filter((profile) => !needs.includes(profile))])
        await assert.rejects(
          pull(targetAt(port, { legacyProfiles }), shellVendor, OPTIONS),
          failsWith('no-common-algorithms', new RegExp(`${lacks.source}.*${profiles}`)),
        );
      assert.deepEqual(passwords, []);
    });

    test(`${name}: by ${needs.join(' and ')} and nothing else`, async (t) => {
      const device = { ...EDGE, algorithms: algorithms as unknown as Algorithms };
      const { port } = await start(t, device, hostKey);
      const result = await pull(targetAt(port, { legacyProfiles: needs }), shellVendor, OPTIONS);
      assert.deepEqual([...result.algorithms.legacyProfiles].sort(), [...needs].sort());
      const { hostKey: pinned } = result;
      await pull(targetAt(port, { legacyProfiles: needs, hostKey: pinned }), shellVendor, OPTIONS);
    });
  }

  test('a profile that is only half of what is needed is named as it is lacking', async (t) => {
    const device = { ...EDGE, algorithms: ANCIENT.algorithms as unknown as Algorithms };
    const { port } = await start(t, device, ANCIENT.hostKey);
    await assert.rejects(
      pull(targetAt(port, { legacyProfiles: ['cbc', 'ssh-rsa'] }), shellVendor, OPTIONS),
      failsWith('no-common-algorithms', /legacy profile sha1-kex \(/),
    );
  });

  test('a modern device needs none, also where all are on', async (t) => {
    const { port } = await start(t, EDGE);
    const { algorithms } = await pull(
      targetAt(port, { legacyProfiles: LEGACY_PROFILES }),
      shellVendor,
      OPTIONS,
    );
    assert.deepEqual(algorithms.legacyProfiles, []);
    assert.match(algorithms.kex, /^(?:curve25519|ecdh)-sha/);
  });

  test('nothing legacy is offered by default, and each profile offers its own only', () => {
    const all = (profiles: readonly LegacyProfile[]) =>
      Object.values(algorithmsFor(profiles)).flat().map(String);
    const old = (profiles: readonly LegacyProfile[]) =>
      all(profiles).filter((name) => /sha1$|sha1-|cbc|^ssh-rsa|ssh-dss|md5|arcfour/.test(name));
    assert.deepEqual(old([]), []);
    assert.deepEqual(old(['ssh-rsa']), ['ssh-rsa']);
    assert.deepEqual(old(['ssh-dss']), ['ssh-dss']);
    assert.deepEqual(old(['cbc']), ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc']);
    assert.ok(old(['sha1-kex']).every((name) => /sha1/.test(name)));
  });
});

/** RFC 4253 sections 6 and 7.1: a server's identification and its KEXINIT. */
function hello(lists: readonly string[]): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const payload = Buffer.concat([Buffer.from([20]), Buffer.alloc(16), ...lists.map(text), Buffer.alloc(5)]);
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + 1 + padding);
  head[4] = padding;
  return Buffer.concat([Buffer.from('SSH-2.0-Old\r\n'), head, payload, Buffer.alloc(padding)]);
}

describe('an offer that nothing here meets', () => {
  const both = (names: string) => [names, names];
  const lists = [
    'diffie-hellman-group1-sha1',
    'ssh-rsa',
    ...both('blowfish-cbc,arcfour'),
    ...both('hmac-md5'),
  ];
  const bytes = hello([...lists, ...both('none'), ...both('')]);

  test('it is said what cannot be done', async (t) => {
    const server = createServer((socket) => socket.on('error', () => {}).write(bytes)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    await assert.rejects(
      pull(targetAt(port, { legacyProfiles: LEGACY_PROFILES }), shellVendor, OPTIONS),
      failsWith(
        'no-common-algorithms',
        /no common cipher \(it offers blowfish-cbc, arcfour\), no common message authentication \(it offers hmac-md5\); no legacy profile has any of these: turn on a newer cipher and message authentication/,
      ),
    );
  });

  test('the offer is read wherever its bytes are cut, and never from something else', () => {
    assert.deepEqual(readOffer(bytes), {
      kex: ['diffie-hellman-group1-sha1'],
      hostKey: ['ssh-rsa'],
      cipher: ['blowfish-cbc', 'arcfour'],
      mac: ['hmac-md5'],
    });
    for (let end = 0; end < bytes.length; end++) assert.equal(readOffer(bytes.subarray(0, end)), undefined);
    assert.equal(readOffer(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), undefined);
    assert.equal(readOffer(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(64, 0xff)])), undefined);
    const wrong = Buffer.from(bytes);
    wrong.writeUInt32BE(0xffff_ffff, 13 + 5 + 17);
    assert.equal(readOffer(wrong), undefined);
  });
});
