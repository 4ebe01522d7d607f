// a file of parameters -> what each analytic judges by
import { readFileSync } from 'node:fs';
import { PosternError } from '../model/errors.ts';
import type { AnalyticDefinition, Parameters } from './definition.ts';
import { analytics, withOverrides } from './index.ts';

/** Throws PosternError 'bad-setting' where the file cannot be read or names what no analytic has. */
export function readParameters(file: string | undefined): (analytic: AnalyticDefinition) => Parameters {
  const overrides = file === undefined ? {} : readOverrides(file);
  const fault = (reason: string) =>
    new PosternError('bad-setting', `POSTERN_PARAMETERS: ${file}: ${reason}`, { subject: file });
  const unknown = Object.keys(overrides).find((id) => !analytics.some((analytic) => analytic.id === id));
  if (unknown)
    throw fault(
      `there is no analytic ${unknown}; there are ${analytics.map((analytic) => analytic.id).join(', ')}`,
    );
  const merged = new Map<string, Parameters>();
  for (const analytic of analytics) {
    try {
      merged.set(analytic.id, withOverrides(analytic, overrides[analytic.id]));
    } catch (error) {
      throw fault((error as Error).message);
    }
  }
  return (analytic) => merged.get(analytic.id) ?? analytic.parameters;
}

function readOverrides(file: string): Record<string, Parameters> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
      throw new TypeError('it is no object');
    return parsed as Record<string, Parameters>;
  } catch (cause) {
    throw new PosternError(
      'bad-setting',
      `POSTERN_PARAMETERS: cannot read ${file}: ${(cause as Error).message}`,
      { subject: file, cause },
    );
  }
}
