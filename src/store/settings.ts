// settings of the data folder, PostgreSQL, ClickHouse and the job queues
import { Type } from 'typebox';

export const storeSettings = {
  POSTERN_DATA: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Folder for all data of this instance; default ./data, or /var/lib/postern where root runs a checkout that no other user can enter',
    }),
  ),
  POSTERN_SECRET_KEY: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9+/]{43}=$',
      writeOnly: true,
      description:
        'Key that seals credentials, 32 bytes in base64 (openssl rand -base64 32); default a key file in the data folder',
    }),
  ),
  DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      writeOnly: true,
      description:
        'PostgreSQL server, postgres://user:password@host/database; default a PostgreSQL of its own',
    }),
  ),
  CLICKHOUSE_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      writeOnly: true,
      description:
        'ClickHouse server, http://user:password@host:8123/database; default the engine in this process',
    }),
  ),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^rediss?://',
      writeOnly: true,
      description: 'Redis for the job queues, redis://host:6379; default the queues are kept in PostgreSQL',
    }),
  ),
  POSTERN_CLICKHOUSE_MEMORY_MIB: Type.Integer({
    minimum: 256,
    maximum: 1_048_576,
    default: 1024,
    description: 'Most memory that the ClickHouse engine in this process takes, in MiB',
  }),
  POSTERN_FLOW_DAYS: Type.Integer({
    minimum: 1,
    maximum: 3650,
    default: 30,
    description: 'Days for which flows are kept by the minute',
  }),
  POSTERN_FLOW_HOUR_DAYS: Type.Integer({
    minimum: 0,
    maximum: 36_500,
    default: 365,
    description:
      'Days for which flows are kept by the hour, addresses and all, once their minutes are gone; 0: not at all',
  }),
  POSTERN_EVENT_DAYS: Type.Integer({
    minimum: 1,
    maximum: 3650,
    default: 90,
    description: 'Days for which log events are kept',
  }),
};
