// ICMP type and code words -> services, in which type * 256 + code stands for the port
import { type ServiceSet, service } from '../../src/model/services.ts';
import type { Cursor } from './cisco-address.ts';
import { ICMP_TYPES, ICMPV6_TYPES } from './cisco-ports.ts';

/** Reads a name, or a type and perhaps a code, at the cursor; undefined where the protocol is not ICMP or none stands there. */
export function icmpService(protocol: number | null | undefined, cursor: Cursor): ServiceSet | undefined {
  if (protocol !== 1 && protocol !== 58) return undefined;
  const names = protocol === 1 ? ICMP_TYPES : ICMPV6_TYPES;
  const word = cursor.words[cursor.at] ?? '';
  if (Object.hasOwn(names, word)) {
    cursor.at++;
    const [type, code] = names[word];
    return service(protocol, [[type * 256 + (code ?? 0), type * 256 + (code ?? 255)]]);
  }
  if (!/^\d{1,3}$/.test(word) || Number(word) > 255) return undefined;
  cursor.at++;
  const type = Number(word) * 256;
  const code = cursor.words[cursor.at] ?? '';
  if (!/^\d{1,3}$/.test(code) || Number(code) > 255) return service(protocol, [[type, type + 255]]);
  cursor.at++;
  return service(protocol, [[type + Number(code), type + Number(code)]]);
}
