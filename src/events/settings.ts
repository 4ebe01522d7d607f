// what the event stage can be told through the environment
import { Type } from 'typebox';

export const eventSettings = {
  POSTERN_SYSLOG_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 5514,
    description: 'UDP and TCP port for syslog; 0 turns it off',
  }),
  POSTERN_SYSLOG_HOST: Type.String({
    default: '0.0.0.0',
    description: 'Address on which syslog is received; :: takes IPv4 and IPv6',
  }),
  POSTERN_SYSLOG_SENDERS: Type.String({
    default: '',
    description: 'Addresses or prefixes allowed to send syslog, comma separated; empty allows all',
  }),
  POSTERN_SYSLOG_MAX_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 60_000,
    default: 1000,
    description: 'TCP connections that syslog senders may hold at once; over it new ones are closed',
  }),
  POSTERN_SYSLOG_IDLE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 604_800,
    default: 3600,
    description: 'A TCP connection that is silent for this long is closed',
  }),
  POSTERN_SYSLOG_QUEUE_EVENTS: Type.Integer({
    minimum: 100,
    maximum: 10_000_000,
    default: 100_000,
    description:
      'Events that wait in memory while the store is down or slow; over it UDP is dropped and TCP waits',
  }),
};
