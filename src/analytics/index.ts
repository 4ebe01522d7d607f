// the registry of analytics
import { an0407 } from './an0407.ts';
import { an0843 } from './an0843.ts';
import { an0844 } from './an0844.ts';
import { an0926 } from './an0926.ts';
import { an1230 } from './an1230.ts';
import type { AnalyticDefinition, ChangeAnalytic, HostAnalytic } from './definition.ts';

export { withOverrides } from './definition.ts';

/** The registry holds parameters of all shapes; each definition knows its own. */
export const changeAnalytics: readonly ChangeAnalytic[] = [an0926 as unknown as ChangeAnalytic];
export const hostAnalytics: readonly HostAnalytic[] = [
  an0843 as unknown as HostAnalytic,
  an0844 as unknown as HostAnalytic,
  an0407 as unknown as HostAnalytic,
  an1230 as unknown as HostAnalytic,
];
export const analytics: readonly AnalyticDefinition[] = [...changeAnalytics, ...hostAnalytics];

export function analyticOf(id: string): AnalyticDefinition | undefined {
  return analytics.find((analytic) => analytic.id === id);
}

/** Throws where there is none: only the registry's own ids are stored. */
export function changeAnalyticOf(id: string): ChangeAnalytic {
  const found = changeAnalytics.find((analytic) => analytic.id === id);
  if (!found) throw new Error(`there is no analytic ${id} about devices`);
  return found;
}

export function hostAnalyticOf(id: string): HostAnalytic {
  const found = hostAnalytics.find((analytic) => analytic.id === id);
  if (!found) throw new Error(`there is no analytic ${id} about hosts`);
  return found;
}
