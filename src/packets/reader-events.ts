// the event elements of a template -> statements that give `event` and what only events have
import { int, type Layout, lowBits, unsigned } from './reader-layout.ts';
import { FIREWALL_EVENT, FIREWALL_UPDATED, HAS } from './records.ts';

/** Nothing for templates of traffic. A NAT event counts before a firewall's; 0 (ignore, reserved) is none. */
export function readEvent(layout: Layout): string[] {
  const nat = layout.at('natEvent');
  const firewall = layout.at('firewallEvent');
  if (!nat && !firewall) return [];
  const lines = ['let kind = 0;'];
  if (firewall)
    lines.push(
      `{ const value = ${lowBits(firewall, 8)}; if (value !== 0) kind = (value & 127) | ${int(FIREWALL_EVENT)}; }`,
    );
  if (nat) lines.push(`{ const value = ${lowBits(nat, 8)}; if (value !== 0) kind = value & 127; }`);
  lines.push(`if ((kind & 127) !== 0) {
      event[n] = kind; has |= ${int(HAS.event)};
      ${[...readPortBlock(layout), ...clearAddresses(layout)].join('\n      ')}
    }`);
  return lines;
}

/**
 * RFC 8158, port block allocation: a block of ports from portRangeStart to portRangeEnd, or so many of them, so far apart; port 0 where
 * the template has the source's own port instead.
 */
function readPortBlock(layout: Layout): string[] {
  const start = layout.at('portRangeStart');
  if (!start || layout.at('natSourcePort')) return ['portRangeEnd[n] = 0;'];
  const end = layout.at('portRangeEnd');
  const count = layout.at('portRangeCount');
  const step = layout.at('portRangeStep');
  const lines = [`const firstPort = ${lowBits(start, 16)};`, 'postNatSourcePort[n] = firstPort;'];
  if (end) lines.push(`portRangeEnd[n] = ${lowBits(end, 16)};`);
  else if (count) {
    const apart = step ? `Math.max(1, ${unsigned(step)})` : '1';
    lines.push(
      `portRangeEnd[n] = Math.min(65535, firstPort + Math.max(0, ${unsigned(count)} - 1) * ${apart});`,
    );
  } else lines.push('portRangeEnd[n] = firstPort;');
  return lines;
}

/** Bindings and blocks of ports name no destination: leftovers of other records must not pass for one. */
function clearAddresses(layout: Layout): string[] {
  return (['source', 'destination'] as const).flatMap((column) =>
    layout.at(`${column}4`) || layout.at(`${column}6`) ? [] : [`${column}.fill(0, a, a + 4);`],
  );
}

const ENDS = ['endMs', 'endMicros', 'endNanos', 'endSeconds', 'endUptime', 'endDelta'] as const;

/** What an update counts came since the one before it, not since the connection began, where only that and now are stated (NSEL). */
export function readUpdate(layout: Layout): string[] {
  if (!layout.at('firewallEvent') || !layout.at('observedMs') || ENDS.some((end) => layout.at(end)))
    return [];
  return [
    `if ((has & ${int(HAS.event)}) !== 0 && event[n] === ${int(FIREWALL_UPDATED)}) startMs[n] = endMs[n];`,
  ];
}
