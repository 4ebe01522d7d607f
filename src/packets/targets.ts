// information elements -> what the columns are made of

/** What a reader takes from a record; several elements can give the same thing, the first listed wins. */
export type Target =
  | 'source4'
  | 'source6'
  | 'destination4'
  | 'destination6'
  | 'natSource4'
  | 'natSource6'
  | 'natDestination4'
  | 'natDestination6'
  | 'natSourcePort'
  | 'natDestinationPort'
  | 'natEvent'
  | 'firewallEvent'
  | 'portRangeStart'
  | 'portRangeEnd'
  | 'portRangeStep'
  | 'portRangeCount'
  | 'sourcePort'
  | 'destinationPort'
  | 'protocol'
  | 'tcpFlags'
  | 'direction'
  | 'input'
  | 'output'
  | 'bytes'
  | 'packets'
  | 'postBytes'
  | 'postPackets'
  | 'reverseBytes'
  | 'reversePackets'
  | 'startMs'
  | 'startMicros'
  | 'startNanos'
  | 'startSeconds'
  | 'startUptime'
  | 'startDelta'
  | 'endMs'
  | 'endMicros'
  | 'endNanos'
  | 'endSeconds'
  | 'endUptime'
  | 'endDelta'
  | 'durationMs'
  | 'durationMicros'
  | 'observedMs'
  | 'observedSeconds'
  | 'systemInitMs'
  | 'samplingRate'
  | 'samplingInterval'
  | 'samplingSpace'
  | 'samplerId'
  | 'lineCard';

/** RFC 5103 section 6.1: elements of the reverse direction, numbered as the forward ones. */
export const REVERSE_ENTERPRISE = 29_305;

/** Exact: only this length is the element; bound: 1 to this many bytes (RFC 7011 section 6.2, reduced-size encoding). */
export interface TargetSource {
  readonly target: Target;
  readonly enterprise: number;
  readonly ids: readonly number[];
  readonly exact?: number;
  readonly most?: number;
}

/**
 * IANA ids in order of preference. 23 and 24 are counters of the same direction behind the observation point, not of the
 * reverse direction: they stand in only where the counters before it are missing or 0, as egress metering exports them.
 */
export const TARGET_SOURCES: readonly TargetSource[] = [
  { target: 'source4', enterprise: 0, ids: [8], exact: 4 },
  { target: 'source6', enterprise: 0, ids: [27], exact: 16 },
  { target: 'destination4', enterprise: 0, ids: [12], exact: 4 },
  { target: 'destination6', enterprise: 0, ids: [28], exact: 16 },
  // 40001 to 40005: NSEL before ASA 8.4 (NetFlow v9 only, where ids have no enterprise bit).
  { target: 'natSource4', enterprise: 0, ids: [225, 40_001], exact: 4 },
  { target: 'natSource6', enterprise: 0, ids: [281], exact: 16 },
  { target: 'natDestination4', enterprise: 0, ids: [226, 40_002], exact: 4 },
  { target: 'natDestination6', enterprise: 0, ids: [282], exact: 16 },
  { target: 'natSourcePort', enterprise: 0, ids: [227, 40_003], most: 8 },
  { target: 'natDestinationPort', enterprise: 0, ids: [228, 40_004], most: 8 },
  { target: 'natEvent', enterprise: 0, ids: [230], most: 8 },
  { target: 'firewallEvent', enterprise: 0, ids: [233, 40_005], most: 8 },
  { target: 'portRangeStart', enterprise: 0, ids: [361], most: 8 },
  { target: 'portRangeEnd', enterprise: 0, ids: [362], most: 8 },
  { target: 'portRangeStep', enterprise: 0, ids: [363], most: 8 },
  { target: 'portRangeCount', enterprise: 0, ids: [364], most: 8 },
  { target: 'sourcePort', enterprise: 0, ids: [7, 182, 180], most: 8 },
  // 32: exporters that have a type and code put them where the port would be, as v5 does.
  { target: 'destinationPort', enterprise: 0, ids: [11, 183, 181, 32, 139], most: 8 },
  { target: 'protocol', enterprise: 0, ids: [4], most: 8 },
  { target: 'tcpFlags', enterprise: 0, ids: [6], most: 8 },
  { target: 'direction', enterprise: 0, ids: [61], most: 8 },
  { target: 'input', enterprise: 0, ids: [10, 252], most: 8 },
  { target: 'output', enterprise: 0, ids: [14, 253], most: 8 },
  { target: 'bytes', enterprise: 0, ids: [1, 231, 85], most: 8 },
  { target: 'packets', enterprise: 0, ids: [2, 298, 86], most: 8 },
  { target: 'postBytes', enterprise: 0, ids: [23, 171], most: 8 },
  { target: 'postPackets', enterprise: 0, ids: [24, 172], most: 8 },
  { target: 'reverseBytes', enterprise: REVERSE_ENTERPRISE, ids: [1, 85], most: 8 },
  { target: 'reversePackets', enterprise: REVERSE_ENTERPRISE, ids: [2, 86], most: 8 },
  { target: 'reverseBytes', enterprise: 0, ids: [232], most: 8 },
  { target: 'reversePackets', enterprise: 0, ids: [299], most: 8 },
  { target: 'startMs', enterprise: 0, ids: [152], most: 8 },
  { target: 'startMicros', enterprise: 0, ids: [154], exact: 8 },
  { target: 'startNanos', enterprise: 0, ids: [156], exact: 8 },
  { target: 'startSeconds', enterprise: 0, ids: [150], most: 8 },
  { target: 'startUptime', enterprise: 0, ids: [22], exact: 4 },
  { target: 'startDelta', enterprise: 0, ids: [158], most: 8 },
  { target: 'endMs', enterprise: 0, ids: [153], most: 8 },
  { target: 'endMicros', enterprise: 0, ids: [155], exact: 8 },
  { target: 'endNanos', enterprise: 0, ids: [157], exact: 8 },
  { target: 'endSeconds', enterprise: 0, ids: [151], most: 8 },
  { target: 'endUptime', enterprise: 0, ids: [21], exact: 4 },
  { target: 'endDelta', enterprise: 0, ids: [159], most: 8 },
  { target: 'durationMs', enterprise: 0, ids: [161], most: 8 },
  { target: 'durationMicros', enterprise: 0, ids: [162], most: 8 },
  { target: 'observedMs', enterprise: 0, ids: [323], most: 8 },
  { target: 'observedSeconds', enterprise: 0, ids: [322], most: 8 },
  { target: 'systemInitMs', enterprise: 0, ids: [160], exact: 8 },
  { target: 'samplingRate', enterprise: 0, ids: [34, 50], most: 8 },
  { target: 'samplingInterval', enterprise: 0, ids: [305], most: 8 },
  { target: 'samplingSpace', enterprise: 0, ids: [306], most: 8 },
  { target: 'samplerId', enterprise: 0, ids: [302, 48], most: 8 },
  { target: 'lineCard', enterprise: 0, ids: [141], most: 8 },
];

export interface Taken {
  /** Index of the field in the template. */
  readonly field: number;
  readonly length: number;
}

/** Which field of a template gives which target; `fields` as in Template. Zero-length and odd-sized fields give nothing. */
export function chooseFields(fields: Uint32Array): Map<Target, Taken> {
  const chosen = new Map<Target, Taken>();
  for (const source of TARGET_SOURCES) {
    if (chosen.has(source.target)) continue;
    for (const id of source.ids) {
      const field = findField(fields, id, source);
      if (field < 0) continue;
      chosen.set(source.target, { field, length: fields[field * 3 + 1] });
      break;
    }
  }
  return chosen;
}

function findField(fields: Uint32Array, id: number, source: TargetSource): number {
  for (let i = 0; i < fields.length; i += 3) {
    if (fields[i] !== id || fields[i + 2] !== source.enterprise) continue;
    const length = fields[i + 1];
    if (source.exact === undefined ? length >= 1 && length <= (source.most ?? 8) : length === source.exact)
      return i / 3;
  }
  return -1;
}
