// what the flow stage can be told through the environment
import { Type } from 'typebox';

export const flowSettings = {
  POSTERN_NETFLOW_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 2055,
    description: 'UDP port for NetFlow (v5, v9 and IPFIX are all understood there); 0 turns it off',
  }),
  POSTERN_IPFIX_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 4739,
    description: 'UDP port for IPFIX (v5, v9 and IPFIX are all understood there); 0 turns it off',
  }),
  POSTERN_IPFIX_TCP_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 4739,
    description: 'TCP port for IPFIX (RFC 7011 section 10.4); 0 turns it off',
  }),
  POSTERN_IPFIX_TLS_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        'TCP port for IPFIX over TLS; 0 turns it off; default 4740 where certificate and key are set, else off',
    }),
  ),
  POSTERN_IPFIX_TLS_CERT: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'PEM file of the certificate (chain) for IPFIX over TLS; read again when it changes',
    }),
  ),
  POSTERN_IPFIX_TLS_KEY: Type.Optional(
    Type.String({ minLength: 1, description: 'PEM file of its private key, without a passphrase' }),
  ),
  POSTERN_IPFIX_TLS_CA: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'PEM file of the authorities that sign the certificates of exporters; where it is set each must show one (RFC 7011 section 11.3)',
    }),
  ),
  POSTERN_FLOW_MAX_CONNECTIONS: Type.Integer({
    minimum: 1,
    maximum: 60_000,
    default: 1000,
    description: 'Connections of exporters (TCP and TLS) that each collector thread keeps; 64 of one address',
  }),
  POSTERN_FLOW_IDLE_SECONDS: Type.Integer({
    minimum: 10,
    maximum: 604_800,
    default: 7200,
    description: 'A connection over which nothing came for this long is closed',
  }),
  POSTERN_SFLOW_PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 6343,
    description: 'UDP port for sFlow version 5 (NetFlow and IPFIX are understood there too); 0 turns it off',
  }),
  POSTERN_FLOW_HOST: Type.String({
    default: '0.0.0.0',
    description: 'Address on which flow exports are received; :: takes IPv4 and IPv6',
  }),
  POSTERN_COLLECTOR_THREADS: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: 1,
    description: 'Threads that receive flow exports; they share the ports',
  }),
  POSTERN_FLOW_FLUSH_SECONDS: Type.Number({
    minimum: 0.1,
    maximum: 60,
    default: 10,
    description: 'How often each collector thread hands its conversations to the store',
  }),
  POSTERN_FLOW_RECEIVE_BUFFER_BYTES: Type.Integer({
    minimum: 65_536,
    maximum: 1_073_741_824,
    default: 33_554_432,
    description: 'Socket receive buffer of each thread; the kernel caps it at net.core.rmem_max',
  }),
  POSTERN_FLOW_MAX_CONVERSATIONS: Type.Integer({
    minimum: 1000,
    maximum: 8_000_000,
    default: 500_000,
    description:
      'Conversations that one thread holds between two flushes; over it records are dropped and counted',
  }),
  POSTERN_FLOW_MAX_SESSIONS: Type.Integer({
    minimum: 1,
    maximum: 60_000,
    default: 20_000,
    description:
      'Exporter sessions (address and source port) that one thread keeps; over it the longest unseen goes',
  }),
  POSTERN_FLOW_QUEUE_ROWS: Type.Integer({
    minimum: 1000,
    maximum: 50_000_000,
    default: 500_000,
    description:
      'Conversations (about 110 bytes each) that wait in memory while the store is down or slow; more go to the spool',
  }),
  POSTERN_FLOW_SPOOL_BYTES: Type.Integer({
    minimum: 0,
    maximum: 1_099_511_627_776,
    default: 4_294_967_296,
    description:
      'Bytes of the data folder that conversations, attempts and translations may take each while the store is down; beyond it they are dropped and counted by exporter. 0: none',
  }),
  POSTERN_FLOW_SAMPLING: Type.Array(Type.String(), {
    maxItems: 10_000,
    default: [],
    description:
      'Sampling of exporters that state it wrongly or not at all: address or prefix, =, one packet in so many; 192.0.2.1=1000',
  }),
  POSTERN_FLOW_EXPORTERS: Type.Array(Type.String(), {
    maxItems: 100_000,
    default: [],
    description: 'Addresses or prefixes allowed to send flow exports, comma separated; empty allows all',
  }),
  POSTERN_INTERNAL: Type.Array(Type.String(), {
    maxItems: 100_000,
    default: [],
    description:
      'Prefixes that are internal besides RFC 1918, unique local (fc00::/7) and 100.64.0.0/10, comma separated',
  }),
};
