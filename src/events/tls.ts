// certificate files -> a TLS server, for syslog (RFC 5425) and IPFIX (RFC 7011), and who a client's certificate says it is
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls';
import { PosternError } from '../model/errors.ts';

export type ClientCertificates = 'none' | 'optional' | 'required';

export interface TlsFiles {
  /** PEM; the chain of the server, its own certificate first. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of those who sign client certificates. */
  readonly authorities?: string;
}

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
  /** Of the server's own certificate. */
  readonly validUntilMs: number;
}

/** How the names of the settings end; they begin with the prefix of what is received. */
const FILE_NAMES: Readonly<Record<keyof TlsFiles, string>> = {
  certificate: 'CERT',
  key: 'KEY',
  authorities: 'CA',
};
const MAX_FILE_BYTES = 1 << 20;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_NAMES = 16;

/** Throws PosternError 'bad-certificate' that names the setting, the file and what is wrong, in one line. */
export async function readTlsFiles(files: TlsFiles, prefix = 'POSTERN_SYSLOG_TLS'): Promise<TlsMaterial> {
  try {
    return await readAll(files);
  } catch (error) {
    throw error instanceof FileFault ? error.named(prefix) : error;
  }
}

async function readAll(files: TlsFiles): Promise<TlsMaterial> {
  const cert = await readOne('certificate', files.certificate);
  const key = await readOne('key', files.key);
  const ca = files.authorities === undefined ? undefined : await readOne('authorities', files.authorities);
  const certificate = readPart('certificate', files.certificate, () => new X509Certificate(cert));
  const privateKey = readPart('key', files.key, () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey))
    throw fault('key', files.key, `does not belong to the certificate in ${files.certificate}`);
  if (ca && files.authorities) readPart('authorities', files.authorities, () => new X509Certificate(ca));
  readPart('certificate', files.certificate, () => createSecureContext({ cert, key, ca }));
  return { cert, key, ca, validUntilMs: certificate.validToDate.getTime() };
}

async function readOne(which: keyof TlsFiles, path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new Error('is too large to be one');
    return await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'this user may not read it',
      EISDIR: 'is a folder',
    };
    throw fault(which, path, reasons[code ?? ''] ?? message, cause);
  }
}

function readPart<T>(which: keyof TlsFiles, path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isLocked = code === 'ERR_MISSING_PASSPHRASE' || /passphrase|interrupted/i.test(message);
    const what = which === 'key' ? 'private key' : 'certificate';
    throw fault(
      which,
      path,
      isLocked ? 'is under a passphrase; store it without' : `holds no usable ${what} in PEM form`,
      cause,
    );
  }
}

/** Until it is known whose setting names the file. */
class FileFault extends Error {
  readonly which: keyof TlsFiles;
  readonly path: string;
  constructor(which: keyof TlsFiles, path: string, reason: string, cause?: unknown) {
    super(`${path}: ${reason}`, { cause });
    this.which = which;
    this.path = path;
  }
  named(prefix: string): PosternError {
    const { message, path, cause } = this;
    return new PosternError('bad-certificate', `${prefix}_${FILE_NAMES[this.which]}: ${message}`, {
      subject: path,
      cause,
    });
  }
}

const fault = (which: keyof TlsFiles, path: string, reason: string, cause?: unknown) =>
  new FileFault(which, path, reason, cause);

/** Changes where a file was written or replaced; the same text while all stay as they are. */
export async function tlsFilesMark(files: TlsFiles): Promise<string> {
  const paths = [files.certificate, files.key, files.authorities ?? ''];
  const marks = await Promise.all(
    paths.map(async (path) => {
      if (path === '') return '';
      const { mtimeMs, ino, size } = await stat(path);
      return `${ino}:${mtimeMs}:${size}`;
    }),
  );
  return marks.join(' ');
}

export interface TlsOptions {
  readonly material: TlsMaterial;
  readonly clients: ClientCertificates;
}

/**
 * TLS 1.2 and later (RFC 9662 retires the older ones of RFC 5425). Where client certificates are required, one that no authority
 * signed ends the handshake; where they are optional, it is taken and tells nothing.
 */
export function createTlsServer(
  { material, clients }: TlsOptions,
  onConnection: (socket: TLSSocket) => void,
): Server {
  return createServer(
    {
      ...contextOf(material),
      requestCert: clients !== 'none',
      rejectUnauthorized: clients === 'required',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      minVersion: 'TLSv1.2',
    },
    onConnection,
  );
}

/** For connections from now on; those that are open stay. */
export function renewTls(server: Server, material: TlsMaterial): void {
  server.setSecureContext({ ...contextOf(material), minVersion: 'TLSv1.2' });
}

const contextOf = ({ cert, key, ca }: TlsMaterial) => ({ cert, key, ...(ca && { ca }) });

/** dNSNames of a verified client certificate, then its common names (RFC 5425 section 5.2); empty for any other. */
export function clientNames(socket: Socket): readonly string[] {
  const { authorized, getPeerX509Certificate } = socket as TLSSocket;
  if (!authorized || !getPeerX509Certificate) return [];
  const certificate = (socket as TLSSocket).getPeerX509Certificate();
  if (!certificate) return [];
  const alternative = certificate.subjectAltName ?? '';
  // Quoted is what holds separators of its own, to look like several names: none of it is believed.
  const alternatives = alternative.includes('"')
    ? []
    : [...alternative.matchAll(/(?:^|, )DNS:([^,\s]{1,255})/g)];
  const subjects = [...certificate.subject.matchAll(/^CN=(.{1,255})$/gm)];
  const names = [...alternatives, ...subjects].map(([, name]) => name.trim()).filter(isPlain);
  return [...new Set(names)].slice(0, MAX_NAMES);
}

/** No control characters, no markup, no wildcard: a name that one machine can have. */
const isPlain = (name: string) => /^[\p{L}\p{N}][\p{L}\p{N} ._@:-]*$/u.test(name);
