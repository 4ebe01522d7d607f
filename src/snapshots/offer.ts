// the first bytes that an SSH server sends -> the algorithms that it offers, and what of ours would meet them
import type { Duplex } from 'node:stream';
import {
  everyAlgorithm,
  LEGACY_PROFILES,
  type LegacyProfile,
  PROFILE_TITLES,
  profileOf,
} from './algorithms.ts';

/** In the order of RFC 4253 section 7.1. */
export interface ServerOffer {
  readonly kex: readonly string[];
  readonly hostKey: readonly string[];
  /** Server to client, as the other way round is the same wherever it matters. */
  readonly cipher: readonly string[];
  readonly mac: readonly string[];
}

/** RFC 4253 section 6.1: what every implementation must be able to take, and the lines that may come before (section 4.2). */
const MOST_BYTES = 65_536;
const SSH_MSG_KEXINIT = 20;
/** Message number and cookie. */
const LISTS_AT = 17;

/** Listens on a stream that ssh2 is about to read, until the offer came or cannot come any more. */
export function watchOffer(socket: Duplex): { readonly read: () => ServerOffer | undefined } {
  let bytes = Buffer.alloc(0);
  let offer: ServerOffer | undefined;
  const listen = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk.subarray(0, MOST_BYTES - bytes.length)]);
    offer = readOffer(bytes);
    if (offer || bytes.length >= MOST_BYTES) socket.off('data', listen);
  };
  socket.on('data', listen);
  return { read: () => offer };
}

/** Undefined where the packet is not there yet, or is none. */
export function readOffer(bytes: Buffer): ServerOffer | undefined {
  const packet = firstPacket(bytes);
  if (!packet || packet[0] !== SSH_MSG_KEXINIT) return undefined;
  const lists: string[][] = [];
  let at = LISTS_AT;
  for (let i = 0; i < 6; i++) {
    if (at + 4 > packet.length) return undefined;
    const end = at + 4 + packet.readUInt32BE(at);
    if (end > packet.length) return undefined;
    lists.push(
      packet
        .toString('latin1', at + 4, end)
        .split(',')
        .filter(Boolean),
    );
    at = end;
  }
  const [kex, hostKey, , cipher, , mac] = lists;
  return { kex, hostKey, cipher, mac };
}

/** The payload of the first packet after the identification (RFC 4253 sections 4.2 and 6). */
function firstPacket(bytes: Buffer): Buffer | undefined {
  let line = 0;
  for (;;) {
    const end = bytes.indexOf(10, line);
    if (end < 0) return undefined;
    const isIdentification = bytes.toString('latin1', line, Math.min(end, line + 4)) === 'SSH-';
    line = end + 1;
    if (isIdentification) break;
  }
  if (bytes.length < line + 5) return undefined;
  const length = bytes.readUInt32BE(line);
  const end = line + 4 + length;
  if (length > MOST_BYTES || bytes.length < end) return undefined;
  return bytes.subarray(line + 5, end - bytes[line + 4]);
}

const KINDS = [
  ['key exchange', 'kex', 'kex'],
  ['host key', 'hostKey', 'serverHostKey'],
  ['cipher', 'cipher', 'cipher'],
  ['message authentication', 'mac', 'hmac'],
] as const;

/** Which kinds of algorithms have none in common with what was offered to the server, and what can be done about it. */
export function missingFrom(
  offer: ServerOffer,
  profiles: readonly LegacyProfile[],
): {
  readonly kinds: readonly string[];
  readonly profiles: readonly LegacyProfile[];
  readonly hopeless: readonly string[];
} {
  const kinds: string[] = [];
  const hopeless: string[] = [];
  const wanted = new Set<LegacyProfile>();
  for (const [title, theirs, ours] of KINDS) {
    const offered = offer[theirs].slice(0, 20).filter(isPlain);
    const common = everyAlgorithm(ours).filter((name) => offer[theirs].includes(name));
    const isTaken = (name: string) => {
      const profile = profileOf(name);
      return profile === undefined || profiles.includes(profile);
    };
    if (common.some(isTaken)) continue;
    // An AEAD cipher needs no other message authentication (RFC 5647).
    if (theirs === 'mac' && offer.cipher.some((name) => /gcm@|poly1305@/.test(name))) continue;
    kinds.push(`${title} (it offers ${offered.join(', ') || 'none'})`);
    const [profile] = common.flatMap((name) => profileOf(name) ?? []);
    if (profile) wanted.add(profile);
    else hopeless.push(title);
  }
  return { kinds, profiles: LEGACY_PROFILES.filter((profile) => wanted.has(profile)), hopeless };
}

/** One sentence or two, for an error: what is missing and which profiles would help. */
export function adviceFor(offer: ServerOffer, profiles: readonly LegacyProfile[], where: string): string {
  const missing = missingFrom(offer, profiles);
  const lack = `no common ${missing.kinds.join(', no common ') || 'algorithm'}`;
  if (missing.hopeless.length > 0)
    return `${lack}; no legacy profile has any of these: turn on a newer ${missing.hopeless.join(' and ')} on ${where}, or update it`;
  if (missing.profiles.length === 0) return `${lack}; update ${where}`;
  const names = missing.profiles.map((profile) => `${profile}: ${PROFILE_TITLES[profile]}`).join('; ');
  return `${lack}; if ${where} cannot be updated, turn on for it the legacy profile${missing.profiles.length > 1 ? 's' : ''} ${missing.profiles.join(',')} (${names})`;
}

/** Marks of extensions stand among the key exchanges (RFC 8308 section 2.1). */
const isPlain = (name: string): boolean =>
  /^[\w.@+-]{1,80}$/.test(name) && !/^(?:kex-strict-|ext-info-)/.test(name);
