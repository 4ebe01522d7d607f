// elements outside the IANA registry: by enterprise number (IPFIX), and by ids that vendors took in NetFlow v9

/** Enterprise number -> name of its owner, as a prefix of unknown elements (iana.org/assignments/enterprise-numbers). */
export const ENTERPRISES: Readonly<Record<number, string>> = {
  9: 'cisco',
  11: 'hp',
  311: 'microsoft',
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
  23867: 'silver-peak',
  25053: 'ruckus',
  25461: 'palo-alto',
  25506: 'h3c',
  29305: 'reverse',
  30065: 'arista',
  35632: 'ntop',
  39499: 'flowmon',
  41916: 'viptela',
  43874: 'pmacct',
};

/** Lines of enterprise, id, name, type, unit. */
export const ENTERPRISE_ELEMENTS = `
6871 14 initialTCPFlags u8
6871 15 unionTCPFlags u8
6871 18 payload bytes
6871 21 reverseFlowDeltaMilliseconds u32 milliseconds
6871 33 silkAppLabel u16
6871 35 payloadEntropy u8
6871 36 osName text
6871 37 osVersion text
6871 40 flowAttributes u16
6871 100 expiredFragmentCount u32 fragments
6871 101 assembledFragmentCount u32 fragments
6871 102 meanFlowRate u32
6871 103 meanPacketRate u32
6871 104 flowTableFlushEventCount u32
6871 105 flowTablePeakCount u32 flows
6876 880 vmwareTenantProtocol u8
6876 881 vmwareTenantSourceIPv4 ip4
6876 882 vmwareTenantDestIPv4 ip4
6876 883 vmwareTenantSourceIPv6 ip6
6876 884 vmwareTenantDestIPv6 ip6
6876 886 vmwareTenantSourcePort u16
6876 887 vmwareTenantDestPort u16
6876 888 vmwareEgressInterfaceAttr u16
6876 889 vmwareVxlanExportRole u8
6876 890 vmwareIngressInterfaceAttr u16
41916 4321 viptelaVPNId u64
15397 1 proceraService text
15397 2 proceraBaseService text
15397 3 proceraIncomingOctets u64 octets
15397 4 proceraOutgoingOctets u64 octets
15397 15 proceraFlowBehavior text
15397 47 proceraTemplateName text
`;

/** NetFlow v9 ids without an IANA meaning: Cisco ASA (NSEL), Palo Alto Networks. */
export const V9_ELEMENTS = `
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

/** RFC 3954 section 6.1: scope types of NetFlow v9 options. */
export const V9_SCOPES: Readonly<Record<number, string>> = {
  1: 'scopeSystem',
  2: 'scopeInterface',
  3: 'scopeLineCard',
  4: 'scopeCache',
  5: 'scopeTemplate',
};
