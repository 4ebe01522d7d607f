// settings -> whether IPFIX is received over TCP and TLS, and with which certificate
import { readTlsFiles, type TlsFiles, tlsFilesMark } from '../events/tls.ts';
import { PosternError } from '../model/errors.ts';
import type { Settings } from '../settings.ts';
import type { StreamOptions } from './streams.ts';

const PREFIX = 'POSTERN_IPFIX_TLS';
const IPFIX_TLS_PORT = 4740;

/** Undefined where both are off. Throws PosternError 'bad-setting' or 'bad-certificate'. */
export async function streamSettings(settings: Settings): Promise<Omit<StreamOptions, 'host'> | undefined> {
  const tcpPort = settings.POSTERN_IPFIX_TCP_PORT || undefined;
  const files = tlsFilesOf(settings);
  if (tcpPort === undefined && !files) return undefined;
  return {
    tcpPort,
    maxConnections: settings.POSTERN_FLOW_MAX_CONNECTIONS,
    idleTimeoutMs: settings.POSTERN_FLOW_IDLE_SECONDS * 1000,
    ...(files && {
      tls: {
        port: settings.POSTERN_IPFIX_TLS_PORT ?? IPFIX_TLS_PORT,
        // RFC 7011 section 11.3: both sides are authenticated.
        clients: files.authorities === undefined ? ('none' as const) : ('required' as const),
        material: await readTlsFiles(files, PREFIX),
      },
    }),
  };
}

export function tlsFilesOf(settings: Settings): TlsFiles | undefined {
  const {
    POSTERN_IPFIX_TLS_PORT: port,
    POSTERN_IPFIX_TLS_CERT: certificate,
    POSTERN_IPFIX_TLS_KEY: key,
    POSTERN_IPFIX_TLS_CA: authorities,
  } = settings;
  const isWanted = [port, certificate, key, authorities].some((value) => value !== undefined);
  if (port === 0 || !isWanted) return undefined;
  if (certificate === undefined || key === undefined)
    throw new PosternError('bad-setting', `IPFIX over TLS needs both ${PREFIX}_CERT and ${PREFIX}_KEY`);
  return { certificate, key, authorities };
}

/** Resolves to the certificate where its files changed since `mark`, with the new mark. */
export async function renewed(files: TlsFiles, mark: string | undefined) {
  const current = await tlsFilesMark(files);
  if (current === mark) return { mark: current };
  return { mark: current, material: mark === undefined ? undefined : await readTlsFiles(files, PREFIX) };
}
