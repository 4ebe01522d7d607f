// the registry of analytics
import { an0926 } from './an0926.ts';
import type { AnalyticDefinition } from './definition.ts';

export { withOverrides } from './definition.ts';

export const analytics: readonly AnalyticDefinition[] = [an0926 as unknown as AnalyticDefinition];

export function analyticOf(id: string): AnalyticDefinition | undefined {
  return analytics.find((analytic) => analytic.id === id);
}
