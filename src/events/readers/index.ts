// every reader; the first that understands a line decides
import { asa } from './asa.ts';
import { audit } from './audit.ts';
import { cisco } from './cisco.ts';
import { fortios } from './fortios.ts';
import { guards } from './guards.ts';
import { identity } from './identity.ts';
import { json } from './json.ts';
import { junos } from './junos.ts';
import { linux } from './linux.ts';
import { macos } from './macos.ts';
import { netfilter } from './netfilter.ts';
import { panos } from './panos.ts';
import { pf } from './pf.ts';
import type { Read, Reader } from './reader.ts';
import { routeros } from './routeros.ts';
import { services } from './services.ts';
import { sudo } from './sudo.ts';

const readers: readonly Reader[] = [
  json,
  cisco,
  asa,
  linux,
  sudo,
  guards,
  services,
  audit,
  netfilter,
  pf,
  macos,
  junos,
  fortios,
  panos,
  routeros,
  identity,
];

/** Names come from strangers: not more than this many are remembered. */
const MAX_PROGRAMS = 2000;
const remembered = new Map<string, readonly Read[]>();

/** Those whose lines the program's are, in order. */
export function readersFor(program: string): readonly Read[] {
  const known = remembered.get(program);
  if (known) return known;
  const found = readers.filter((reader) => reader.knows(program)).map((reader) => reader.readerFor(program));
  if (remembered.size >= MAX_PROGRAMS) remembered.clear();
  remembered.set(program, found);
  return found;
}

/** Whether the program has a name and rows of its own: what is not read of it is worth showing. */
export function isKnownProgram(program: string): boolean {
  return program !== '' && KNOWN.some((reader) => reader.knows(program));
}

/** Without those that look at every line. */
const KNOWN = readers.filter((reader) => !reader.knows('\0'));
