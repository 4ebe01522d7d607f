// openssl -> an authority and certificates of a server and of clients, in a temporary folder
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

export const hasOpenssl = (process.env.PATH ?? '')
  .split(':')
  .some((path) => existsSync(join(path, 'openssl')));

export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly folder: string;
  /** Path of its own certificate. */
  readonly ca: string;
  /** Paths of a new certificate and key; `alternative` as in "DNS:a.example,IP:127.0.0.1", or "@names" and what that section holds. */
  issue(name: string, commonName: string, alternative?: string, section?: string): Issued;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function createAuthority(label = 'ca'): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const ca = path(`${label}.pem`);
  const caKey = path(`${label}.key`);
  openssl('req', '-x509', ...EC, '-keyout', caKey, '-out', ca, '-subj', `/CN=${label}`, '-days', '2');
  return {
    folder,
    ca,
    issue: (name, commonName, alternative, section) => {
      const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) =>
        path(`${name}.${end}`),
      );
      openssl('req', ...EC, '-keyout', key, '-out', request, '-subj', `/CN=${commonName}`);
      const names = alternative ? `subjectAltName=${alternative}` : 'keyUsage=digitalSignature';
      writeFileSync(extensions, `${names}\n${section ? `[names]\n${section}\n` : ''}`);
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, '-out', cert, ...signing);
      return { cert, key };
    },
  };
}
