// the vendors, one line each, and how a text finds its own
import { aristaEos } from './arista-eos.ts';
import { ciscoAsa } from './cisco-asa.ts';
import { ciscoIos } from './cisco-ios.ts';
import { ciscoIosXr } from './cisco-iosxr.ts';
import { ciscoNxos } from './cisco-nxos.ts';
import type { DeviceDefinition } from './definition.ts';
import { edgeos } from './edgeos.ts';
import { f5Bigip } from './f5-bigip.ts';
import { firewalld } from './firewalld.ts';
import { fortios } from './fortios.ts';
import { freebsdPf } from './freebsd-pf.ts';
import { h3cComware } from './h3c-comware.ts';
import { huaweiVrp } from './huawei-vrp.ts';
import { junos } from './junos.ts';
import { linuxIptables } from './linux-iptables.ts';
import { linuxNftables } from './linux-nftables.ts';
import { mikrotikRouteros } from './mikrotik-routeros.ts';
import { openbsdPf } from './openbsd-pf.ts';
import { opnsense } from './opnsense.ts';
import { panos } from './panos.ts';
import { pfsense } from './pfsense.ts';
import { ufw } from './ufw.ts';
import { vyos } from './vyos.ts';

export const definitions: readonly DeviceDefinition[] = [
  aristaEos,
  ciscoAsa,
  ciscoIos,
  ciscoIosXr,
  ciscoNxos,
  edgeos,
  f5Bigip,
  firewalld,
  fortios,
  freebsdPf,
  h3cComware,
  huaweiVrp,
  junos,
  linuxIptables,
  linuxNftables,
  mikrotikRouteros,
  openbsdPf,
  opnsense,
  panos,
  pfsense,
  ufw,
  vyos,
];

/** How much of a text is looked at to tell its vendor, in UTF-16 units. */
const RECOGNISE_WITHIN = 1 << 20;

export function definitionOf(vendor: string): DeviceDefinition | undefined {
  return definitions.find((definition) => definition.vendor === vendor);
}

/** The definition whose heaviest matching pattern outweighs all others'; undefined where none matches. */
export function recognise(text: string): DeviceDefinition | undefined {
  const head = text.slice(0, RECOGNISE_WITHIN);
  let best: DeviceDefinition | undefined;
  let bestWeight = 0;
  for (const definition of definitions) {
    for (const { pattern, weight } of definition.recognise) {
      if (weight <= bestWeight || head.search(pattern) < 0) continue;
      best = definition;
      bestWeight = weight;
    }
  }
  return best;
}
