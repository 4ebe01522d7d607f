// template sets -> templates of a domain: learned, refreshed, redefined, withdrawn, bounded
import type { Domain } from './domain.ts';
import type { Packet } from './packet.ts';
import type { Reader } from './reader.ts';
import { hold, release } from './room.ts';
import type { ExporterSession } from './session.ts';

/** RFC 7011 section 7: a field of this length states its length in each record. */
export const VARIABLE_LENGTH = 65_535;

export interface Template {
  readonly domain: Domain;
  readonly id: number;
  /** Three numbers a field: element id, length, enterprise number (0 for IANA). Scope fields come first. */
  readonly fields: Uint32Array;
  /** Above 0 in options templates. In NetFlow v9 the ids of scope fields are scope types (RFC 3954 section 6.1). */
  readonly scopeFields: number;
  readonly isOptions: boolean;
  /** Bytes of the shortest record; of every record where the template has no variable-length field. */
  readonly minimumBytes: number;
  readonly isVariable: boolean;
  /** What holding it costs. */
  readonly byteCount: number;
  /** Made at the first data set. */
  reader: Reader | undefined;
  /** What a reader of its own costs; 0 where it shares one. */
  readerBytes: number;
  /** The minute in which there was no leave to make one. */
  refusedMinute: number;
  /** Epoch seconds when it last came; 0 where that is not known (after a restart) until its first use. */
  refreshedAt: number;
}

/** Of its object, its place in maps, and what typed arrays cost besides their content. */
const TEMPLATE_BYTES = 512;

export const fieldCount = (template: Template) => template.fields.length / 3;

export function createTemplate(
  domain: Domain,
  id: number,
  fields: Uint32Array,
  scopeFields: number,
  isOptions: boolean,
): Template {
  let minimumBytes = 0;
  let isVariable = false;
  for (let i = 1; i < fields.length; i += 3) {
    const isOpen = fields[i] === VARIABLE_LENGTH;
    if (isOpen) isVariable = true;
    minimumBytes += isOpen ? 1 : fields[i];
  }
  const byteCount = fields.byteLength + TEMPLATE_BYTES;
  return {
    domain,
    id,
    fields,
    scopeFields,
    isOptions,
    minimumBytes,
    isVariable,
    byteCount,
    reader: undefined,
    readerBytes: 0,
    refusedMinute: -1,
    refreshedAt: 0,
  };
}

/** Called with each template that is new, so that waiting data can be read. */
export type OnTemplate = (template: Template) => void;

/** Reads a template set (isOptions: an options template set) over [start, end) of the datagram. */
export function readTemplateSet(
  session: ExporterSession,
  packet: Packet,
  domain: Domain,
  start: number,
  end: number,
  isOptions: boolean,
  onTemplate: OnTemplate,
): void {
  const { view } = packet;
  const { malformed } = session.counters;
  let offset = start;
  while (offset + 4 <= end) {
    const id = view.getUint16(offset);
    const count = view.getUint16(offset + 2);
    // Zero padding up to the end of the set.
    if (id === 0 && count === 0) return;
    if (packet.version === 10 && count === 0) {
      withdraw(session, domain, id, isOptions);
      offset += 4;
      continue;
    }
    const head = isOptions ? optionsHead(packet, offset, end) : { fields: count, scopeFields: 0, bytes: 4 };
    const next = head ? fieldsEnd(packet, offset + head.bytes, end, head.fields) : -1;
    if (!head || next < 0) {
      malformed.template++;
      return;
    }
    if (id < 256 || head.fields === 0) malformed.template++;
    else if (head.fields > session.limits.fieldsPerTemplate) malformed['template-too-large']++;
    else if (isChangeRefused(session, domain, id, packet.receivedAtMs)) session.counters.templatesRefused++;
    else {
      const fields = readFields(packet, offset + head.bytes, head.fields);
      const template = createTemplate(domain, id, fields, head.scopeFields, isOptions);
      // Records of no bytes would never end.
      if (template.minimumBytes === 0) malformed.template++;
      else learn(session, template, onTemplate, packet.receivedAtMs);
    }
    offset = next;
  }
}

/** Field counts of an options template; undefined where they make no sense. */
function optionsHead(packet: Packet, offset: number, end: number) {
  if (offset + 6 > end) return undefined;
  const second = packet.view.getUint16(offset + 2);
  const third = packet.view.getUint16(offset + 4);
  if (packet.version === 10) {
    // RFC 7011 section 3.4.2.2: the scope count is at least 1 and part of the field count.
    return third === 0 || third > second ? undefined : { fields: second, scopeFields: third, bytes: 6 };
  }
  // RFC 3954 section 6.1: lengths in bytes of the scope and of the option field specifiers.
  if (second % 4 !== 0 || third % 4 !== 0) return undefined;
  return { fields: (second + third) / 4, scopeFields: second / 4, bytes: 6 };
}

/** Where the field specifiers end, or -1 where they run past the set. */
function fieldsEnd(packet: Packet, start: number, end: number, count: number): number {
  if (packet.version !== 10) return start + count * 4 <= end ? start + count * 4 : -1;
  let offset = start;
  for (let i = 0; i < count; i++) {
    if (offset + 4 > end) return -1;
    offset += packet.bytes[offset] & 0x80 ? 8 : 4;
  }
  return offset <= end ? offset : -1;
}

/** One that would push out another, once there was enough of that in this minute; known ones may come again. */
function isChangeRefused(session: ExporterSession, domain: Domain, id: number, nowMs: number): boolean {
  const minute = Math.floor(nowMs / 60_000);
  if (session.changeMinute !== minute) {
    session.changeMinute = minute;
    session.changesInMinute = 0;
  }
  const { changesPerMinute, templates } = session.limits;
  if (session.changesInMinute < changesPerMinute) return false;
  return session.templates.size >= templates && !domain.templates.has(id);
}

function readFields({ view, version }: Packet, start: number, count: number): Uint32Array {
  const fields = new Uint32Array(count * 3);
  let offset = start;
  for (let i = 0; i < fields.length; i += 3) {
    const id = view.getUint16(offset);
    fields[i + 1] = view.getUint16(offset + 2);
    // RFC 7011 section 3.2; NetFlow v9 has no enterprise bit and uses the whole range (ASA's 40001 to 40005).
    const isEnterprise = version === 10 && id >= 0x8000;
    fields[i] = isEnterprise ? id & 0x7fff : id;
    if (isEnterprise) fields[i + 2] = view.getUint32(offset + 4);
    offset += isEnterprise ? 8 : 4;
  }
  return fields;
}

/** Keeps a template, in place of an older one of its id; onTemplate is called unless it was known already. */
export function learn(session: ExporterSession, template: Template, onTemplate: OnTemplate, nowMs = 0): void {
  const { counters } = session;
  const known = template.domain.templates.get(template.id);
  template.refreshedAt = Math.floor(nowMs / 1000);
  if (known && isSame(known, template)) {
    known.refreshedAt = template.refreshedAt;
    // A refresh: the youngest again in the order of eviction.
    session.templates.delete(known);
    session.templates.add(known);
    return;
  }
  if (known) {
    forget(session, known);
    counters.templatesRedefined++;
    session.changesInMinute++;
  } else counters.templatesLearned++;
  while (isFull(session, template) || !hold(session, template.byteCount)) {
    const oldest = session.templates.values().next().value;
    counters.templatesEvicted++;
    session.changesInMinute++;
    // Nothing of its own is left to give, and what all share is full.
    if (!oldest) return;
    forget(session, oldest);
  }
  session.templates.add(template);
  session.templateBytes += template.byteCount;
  template.domain.templates.set(template.id, template);
  if (template.isOptions) template.domain.optionsTemplates++;
  onTemplate(template);
}

function isFull(session: ExporterSession, next: Template): boolean {
  const { templates, templateBytes } = session.limits;
  return session.templates.size >= templates || session.templateBytes + next.byteCount > templateBytes;
}

function isSame(a: Template, b: Template): boolean {
  return (
    a.isOptions === b.isOptions &&
    a.scopeFields === b.scopeFields &&
    a.fields.length === b.fields.length &&
    a.fields.every((value, i) => value === b.fields[i])
  );
}

export function findTemplate(domain: Domain, id: number): Template | undefined {
  const { lastTemplate } = domain;
  if (lastTemplate?.id === id) return lastTemplate;
  const template = domain.templates.get(id);
  if (template) domain.lastTemplate = template;
  return template;
}

/** RFC 7011 section 8.4: over UDP a template lives as long as it is sent again; true where its time is over, and it is gone. */
export function expire(session: ExporterSession, template: Template, nowMs: number): boolean {
  if (session.transport !== 'udp') return false;
  const now = Math.floor(nowMs / 1000);
  if (template.refreshedAt === 0) template.refreshedAt = now;
  if ((now - template.refreshedAt) * 1000 <= session.limits.templateLifetimeMs) return false;
  forget(session, template);
  session.counters.templatesExpired++;
  return true;
}

function forget(session: ExporterSession, template: Template): void {
  if (!session.templates.delete(template)) return;
  session.templateBytes -= template.byteCount;
  release(session, template.byteCount + template.readerBytes);
  template.domain.templates.delete(template.id);
  if (template.domain.lastTemplate === template) template.domain.lastTemplate = undefined;
  if (template.isOptions) template.domain.optionsTemplates--;
}

/**
 * RFC 7011 section 8.1: a template id with no fields; set ids 2 and 3 withdraw all of their kind in the domain. Over UDP
 * (section 8.4), and of templates that are not there, it is ignored and counted.
 */
function withdraw(session: ExporterSession, domain: Domain, id: number, isOptions: boolean): void {
  if (session.transport === 'udp') {
    session.counters.withdrawalsIgnored++;
    return;
  }
  const isAll = id === (isOptions ? 3 : 2);
  const { size } = domain.templates;
  // A message may say so thousands of times; looking through all of the other kind each time would take long.
  if (isAll && (isOptions ? domain.optionsTemplates : size - domain.optionsTemplates) === 0) return;
  const targets = isAll
    ? [...domain.templates.values()].filter((template) => template.isOptions === isOptions)
    : [domain.templates.get(id)];
  for (const template of targets) {
    if (!template) {
      session.counters.withdrawalsIgnored++;
      continue;
    }
    forget(session, template);
    session.counters.templatesWithdrawn++;
  }
}
