// settings of the HTTP API
import { Type } from 'typebox';

export const webSettings = {
  POSTERN_API_HOST: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'Address that the HTTP API listens on',
  }),
  POSTERN_API_PORT: Type.Integer({
    minimum: 0,
    maximum: 65535,
    default: 8080,
    description: 'TCP port of the HTTP API; 0 takes any free one',
  }),
  POSTERN_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'Address that people reach the API at, for the links in alerts',
    }),
  ),
  POSTERN_EMERGENCY_TICKET_HOURS: Type.Integer({
    minimum: 1,
    maximum: 8760,
    default: 72,
    description: 'Hours after which an emergency change without a ticket is overdue',
  }),
  POSTERN_METRICS_OPEN: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'off',
    description: 'Whether /metrics is served without a key',
  }),
};
