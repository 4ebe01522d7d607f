// host and port -> a byte stream to it: a TCP connection, or a forward through an SSH connection
import { lookup } from 'node:dns/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { Fail } from './login.ts';
import { placeText } from './place.ts';

/** Throws address-unknown. */
export async function resolveAddress(address: string, fail: Fail): Promise<string> {
  if (isIP(address)) return address;
  try {
    return (await lookup(address)).address;
  } catch (error) {
    throw fail('address-unknown', `the name ${address} has no address; check it or your DNS`, error);
  }
}

/** Throws connection-refused, unreachable, connect-timeout, and the signal's reason. */
export function openSocket(
  host: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal,
  fail: Fail,
): Promise<Socket> {
  const where = placeText(host, port);
  return new Promise<Socket>((resolve, reject) => {
    const socket = connectSocket({ host, port, noDelay: true });
    const give = (error: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => give(signal.reason);
    const timer = setTimeout(() => give(noAnswer(where, timeoutMs, fail)), timeoutMs);
    signal.addEventListener('abort', onAbort);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      give(
        error.code === 'ECONNREFUSED'
          ? fail(
              'connection-refused',
              `${where} refuses connections; check that SSH is on, and its port`,
              error,
            )
          : fail('unreachable', `${where} cannot be reached (${error.code}); check the route to it`, error),
      ),
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

interface Through {
  readonly client: Client;
  readonly lost: Promise<never>;
  /** For messages: the host that the forward goes through. */
  readonly address: string;
}

/** By a "direct-tcpip" channel (RFC 4254 section 7.2). Throws forward-refused, unreachable, connect-timeout. */
export async function forward(
  through: Through,
  host: string,
  port: number,
  timeoutMs: number,
  fail: Fail,
): Promise<Duplex> {
  const where = placeText(host, port);
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(noAnswer(`${where}, asked for at jump host ${through.address},`, timeoutMs, fail)),
    timeoutMs,
  );
  const opened = new Promise<Duplex>((resolve, refuse) => {
    through.client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
      if (error) refuse(forwardError(error, through.address, where, fail));
      else resolve(channel);
    });
  });
  opened.catch(() => {});
  try {
    return await Promise.race([opened, timedOut, through.lost]);
  } finally {
    clearTimeout(timer);
  }
}

/** RFC 4254 section 5.1: why the channel was not opened. */
const PROHIBITED = 1;
const CONNECT_FAILED = 2;

function forwardError(error: Error & { reason?: number }, jump: string, where: string, fail: Fail) {
  const said = error.message.replace(/\p{Cc}/gu, ' ').slice(0, 200);
  if (error.reason === CONNECT_FAILED)
    return fail(
      'unreachable',
      `jump host ${jump} cannot reach ${where} (${said}); check the route from there, and that SSH is on`,
      error,
    );
  const advice =
    error.reason === PROHIBITED
      ? 'allow TCP forwarding there for this account (AllowTcpForwarding, PermitOpen)'
      : 'check that it forwards TCP';
  return fail(
    'forward-refused',
    `jump host ${jump} does not forward to ${where} (${said}); ${advice}`,
    error,
  );
}

const noAnswer = (where: string, timeoutMs: number, fail: Fail) =>
  fail(
    'connect-timeout',
    `no answer from ${where} within ${timeoutMs / 1000} s; check the address and the firewalls in between`,
  );
