// finds exporters and interfaces that show the same packets, and elects which of them count
import { Type } from 'typebox';
import { findDuplicates } from '../src/flows/find-duplicates.ts';
import { defineJob } from './definition.ts';

export const findDuplicatesJob = defineJob({
  name: 'find-duplicates',
  payload: Type.Object({}),
  attempts: 1,
  backoffMs: 1000,
  timeoutMs: 120_000,
  concurrency: () => 1,
  dedupeKey: () => 'find-duplicates',
  everyMs: () => 300_000,
  run: async (_payload, { clickhouse, now }) => {
    await findDuplicates(clickhouse, now());
  },
});
