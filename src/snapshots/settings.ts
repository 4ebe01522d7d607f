// what the snapshot stage can be told through the environment
import { Type } from 'typebox';

const seconds = (fallback: number, description: string) =>
  Type.Number({ minimum: 1, maximum: 3600, default: fallback, description });

export const snapshotSettings = {
  POSTERN_SSH_CONNECT_TIMEOUT_SECONDS: seconds(10, 'How long a device may take to accept a TCP connection'),
  POSTERN_SSH_LOGIN_TIMEOUT_SECONDS: seconds(
    30,
    'How long the SSH handshake and the login may take, and again the first prompt after it',
  ),
  POSTERN_SSH_COMMAND_TIMEOUT_SECONDS: seconds(120, 'How long one command on a device may take'),
  POSTERN_PULL_TIMEOUT_SECONDS: seconds(300, 'How long a whole pull may take, all of its commands included'),
  POSTERN_PULL_CONCURRENCY: Type.Integer({
    minimum: 1,
    maximum: 1000,
    default: 10,
    description: 'Devices that are pulled at the same time; one device is never pulled twice at once',
  }),
  POSTERN_PULL_ATTEMPTS: Type.Integer({
    minimum: 1,
    maximum: 10,
    default: 3,
    description: 'How often a pull is tried that failed for a reason that may pass',
  }),
  POSTERN_PULL_INTERVAL_SECONDS: Type.Integer({
    minimum: 30,
    maximum: 604_800,
    default: 900,
    description: 'Time between two pulls of a device whose own interval is not set',
  }),
  POSTERN_REPOSITORIES: Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), {
    default: [],
    description:
      'Git repositories of Oxidized or RANCID that devices may name, or what they lie below: absolute paths and URLs',
  }),
  POSTERN_PULL_MAX_BYTES: Type.Integer({
    minimum: 65_536,
    maximum: 268_435_456,
    default: 67_108_864,
    description: 'Most bytes that a device may send in one pull; a pull with more fails',
  }),
  POSTERN_SECRETS_FOLDER: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Folder whose files and agent sockets the credentials of devices may refer to; variables that they may refer to begin with POSTERN_DEVICE_SECRET_',
    }),
  ),
};
