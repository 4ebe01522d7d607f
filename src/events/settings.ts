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
  POSTERN_SYSLOG_TLS_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        'TCP port for syslog over TLS; 0 turns it off; default 6514 where certificate and key are set, else off',
    }),
  ),
  POSTERN_SYSLOG_TLS_CERT: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'PEM file of the certificate (chain) for syslog over TLS; read again when it changes',
    }),
  ),
  POSTERN_SYSLOG_TLS_KEY: Type.Optional(
    Type.String({ minLength: 1, description: 'PEM file of its private key, without a passphrase' }),
  ),
  POSTERN_SYSLOG_TLS_CA: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'PEM file of the authorities that sign the certificates of senders',
    }),
  ),
  POSTERN_SYSLOG_TLS_CLIENTS: Type.Union([Type.Literal('optional'), Type.Literal('required')], {
    default: 'optional',
    description:
      'Whether a sender must show a certificate that POSTERN_SYSLOG_TLS_CA signed; a name in it tells whose lines they are',
  }),
  POSTERN_SYSLOG_SENDERS: Type.String({
    default: '',
    description: 'Addresses or prefixes allowed to send syslog, comma separated; empty allows all',
  }),
  POSTERN_SYSLOG_RELAYS: Type.Array(Type.String(), {
    default: [],
    description:
      'Addresses, prefixes and certificate names of relays: the host names in their lines are believed; those of a registered host or device are not',
  }),
  POSTERN_SYSLOG_MAX_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 60_000,
    default: 1000,
    description:
      'Connections that syslog senders may hold at once, one sender half of them at most; over it new ones are closed',
  }),
  POSTERN_SYSLOG_IDLE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 604_800,
    default: 3600,
    description: 'A connection that is silent for this long is closed',
  }),
  POSTERN_SYSLOG_QUEUE_EVENTS: Type.Integer({
    minimum: 100,
    maximum: 10_000_000,
    default: 100_000,
    description:
      'Events that wait in memory while the store is down or slow, of one sender half at most; over it UDP is dropped and TCP waits',
  }),
};
