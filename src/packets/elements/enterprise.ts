// elements outside the IANA registry: by enterprise number (IPFIX), and by ids that vendors took in NetFlow v9
import { CERT_ELEMENTS } from './cert.ts';
import { CERT_LISTS } from './cert-lists.ts';
import { CISCO_ELEMENTS } from './cisco.ts';
import { NETSCALER_ELEMENTS } from './netscaler.ts';
import { NTOP_HIGH } from './ntop-high.ts';
import { NTOP_LOW } from './ntop-low.ts';
import { VENDOR_ELEMENTS } from './vendors.ts';

/** Enterprise number -> name of its owner, as a prefix of unknown elements (iana.org/assignments/enterprise-numbers). */
export const ENTERPRISES: Readonly<Record<number, string>> = {
  9: 'cisco',
  11: 'hp',
  311: 'microsoft',
  637: 'nokia',
  2011: 'huawei',
  2636: 'juniper',
  3375: 'f5',
  4526: 'netgear',
  5951: 'netscaler',
  6027: 'force10',
  6871: 'cert',
  6876: 'vmware',
  8072: 'net-snmp',
  8741: 'sonicwall',
  10704: 'barracuda',
  12356: 'fortinet',
  13745: 'plixer',
  14179: 'airespace',
  14988: 'mikrotik',
  15397: 'procera',
  21373: 'ipt-netflow',
  23867: 'silver-peak',
  25053: 'ruckus',
  25461: 'palo-alto',
  25506: 'h3c',
  26866: 'gigamon',
  29305: 'reverse',
  30065: 'arista',
  35632: 'ntop',
  39499: 'flowmon',
  41916: 'viptela',
  43874: 'pmacct',
  45346: 'velocloud',
};

/** Tables of all owners, a line each: enterprise, id, name, type, unit. */
export const ENTERPRISE_ELEMENTS: readonly string[] = [
  CISCO_ELEMENTS,
  NTOP_LOW,
  NTOP_HIGH,
  CERT_ELEMENTS,
  CERT_LISTS,
  NETSCALER_ELEMENTS,
  VENDOR_ELEMENTS,
];

/**
 * NetFlow v9 has no enterprise numbers. Vendors take ids that IANA does not use; where two took the same one, this table
 * decides, then V9_BASES in their order.
 */
export const V9_ELEMENTS = `
15901 ciscoFastpathSourceAddress ip4
15902 ciscoFastpathSourcePort u16
15903 ciscoFastpathDestinationAddress ip4
15904 ciscoFastpathDestinationPort u16
24628 ericssonNatContextId u32
24629 ericssonNatContextName text
24630 ericssonNatAssignSeconds seconds
24631 ericssonNatUnassignSeconds seconds
24632 ericssonNatInternalIPv4Address ip4
24633 ericssonNatExternalIPv4Address ip4
24634 ericssonNatExternalPortStart u16
24635 ericssonNatExternalPortEnd u16
33000 ingressAclId bytes
33001 egressAclId bytes
33002 fwExtEvent u16
40000 aaaUsername text
40001 postNATSourceIPv4AddressNsel ip4
40002 postNATDestinationIPv4AddressNsel ip4
40003 postNAPTSourceTransportPortNsel u16
40004 postNAPTDestinationTransportPortNsel u16
40005 firewallEventNsel u8
56701 paloAltoAppId text
56702 paloAltoUserId text
`;

/**
 * Where vendors put their own elements in NetFlow v9: id = base + id of their enterprise in IPFIX, up to `last`. nProbe's
 * base is NTOP_BASE of its template documentation; Cisco's is the enterprise bit.
 */
export const V9_BASES: readonly {
  readonly enterprise: number;
  readonly base: number;
  readonly last: number;
}[] = [
  { enterprise: 35_632, base: 57_472, last: 59_520 },
  { enterprise: 9, base: 32_768, last: 65_535 },
];

/** RFC 3954 section 6.1: scope types of NetFlow v9 options. */
export const V9_SCOPES: Readonly<Record<number, string>> = {
  1: 'scopeSystem',
  2: 'scopeInterface',
  3: 'scopeLineCard',
  4: 'scopeCache',
  5: 'scopeTemplate',
};
