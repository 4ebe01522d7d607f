// settings of alert delivery
import { Type } from 'typebox';

export const alertSettings = {
  POSTERN_WEBHOOK_TIMEOUT_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 120,
    default: 15,
    description: 'How long one delivery to an endpoint may take',
  }),
  POSTERN_WEBHOOK_ALLOWED_HOSTS: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description:
      'Host names or addresses that endpoints may have although they are loopback, link-local or metadata addresses',
  }),
};
