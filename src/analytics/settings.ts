// settings of the analytics
import { Type } from 'typebox';

export const analyticSettings = {
  POSTERN_PARAMETERS: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'JSON file of parameters by analytic, such as {"AN0926": {"FlowThreshold": {"packetsPerMinute": 600}}}',
    }),
  ),
};
