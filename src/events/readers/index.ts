// every reader; the first that understands a line decides
import { audit } from './audit.ts';
import { cisco } from './cisco.ts';
import { linux } from './linux.ts';
import type { Reader } from './reader.ts';

export const readers: readonly Reader[] = [cisco, linux, audit];
