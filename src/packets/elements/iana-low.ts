// IANA IPFIX Information Elements 1 to 230: id, name, type, unit (iana.org/assignments/ipfix; RFC 7012)

export const IANA_LOW = `
1 octetDeltaCount u64 octets
2 packetDeltaCount u64 packets
3 deltaFlowCount u64 flows
4 protocolIdentifier u8
5 ipClassOfService u8
6 tcpControlBits u16
7 sourceTransportPort u16
8 sourceIPv4Address ip4
9 sourceIPv4PrefixLength u8 bits
10 ingressInterface u32
11 destinationTransportPort u16
12 destinationIPv4Address ip4
13 destinationIPv4PrefixLength u8 bits
14 egressInterface u32
15 ipNextHopIPv4Address ip4
16 bgpSourceAsNumber u32
17 bgpDestinationAsNumber u32
18 bgpNextHopIPv4Address ip4
19 postMCastPacketDeltaCount u64 packets
20 postMCastOctetDeltaCount u64 octets
21 flowEndSysUpTime u32 milliseconds
22 flowStartSysUpTime u32 milliseconds
23 postOctetDeltaCount u64 octets
24 postPacketDeltaCount u64 packets
25 minimumIpTotalLength u64 octets
26 maximumIpTotalLength u64 octets
27 sourceIPv6Address ip6
28 destinationIPv6Address ip6
29 sourceIPv6PrefixLength u8 bits
30 destinationIPv6PrefixLength u8 bits
31 flowLabelIPv6 u32
32 icmpTypeCodeIPv4 u16
33 igmpType u8
34 samplingInterval u32 packets
35 samplingAlgorithm u8
36 flowActiveTimeout u16 seconds
37 flowIdleTimeout u16 seconds
38 engineType u8
39 engineId u8
40 exportedOctetTotalCount u64 octets
41 exportedMessageTotalCount u64 messages
42 exportedFlowRecordTotalCount u64 flows
43 ipv4RouterSc ip4
44 sourceIPv4Prefix ip4
45 destinationIPv4Prefix ip4
46 mplsTopLabelType u8
47 mplsTopLabelIPv4Address ip4
48 samplerId u8
49 samplerMode u8
50 samplerRandomInterval u32
51 classId u8
52 minimumTTL u8 hops
53 maximumTTL u8 hops
54 fragmentIdentification u32
55 postIpClassOfService u8
56 sourceMacAddress mac
57 postDestinationMacAddress mac
58 vlanId u16
59 postVlanId u16
60 ipVersion u8
61 flowDirection u8
62 ipNextHopIPv6Address ip6
63 bgpNextHopIPv6Address ip6
64 ipv6ExtensionHeaders u32
70 mplsTopLabelStackSection bytes
71 mplsLabelStackSection2 bytes
72 mplsLabelStackSection3 bytes
73 mplsLabelStackSection4 bytes
74 mplsLabelStackSection5 bytes
75 mplsLabelStackSection6 bytes
76 mplsLabelStackSection7 bytes
77 mplsLabelStackSection8 bytes
78 mplsLabelStackSection9 bytes
79 mplsLabelStackSection10 bytes
80 destinationMacAddress mac
81 postSourceMacAddress mac
82 interfaceName text
83 interfaceDescription text
84 samplerName text
85 octetTotalCount u64 octets
86 packetTotalCount u64 packets
87 flagsAndSamplerId u32
88 fragmentOffset u16
89 forwardingStatus u32
90 mplsVpnRouteDistinguisher bytes
91 mplsTopLabelPrefixLength u8 bits
92 srcTrafficIndex u32
93 dstTrafficIndex u32
94 applicationDescription text
95 applicationId bytes
96 applicationName text
98 postIpDiffServCodePoint u8
99 multicastReplicationFactor u32
100 className text
101 classificationEngineId u8
102 layer2packetSectionOffset u16
103 layer2packetSectionSize u16
104 layer2packetSectionData bytes
128 bgpNextAdjacentAsNumber u32
129 bgpPrevAdjacentAsNumber u32
130 exporterIPv4Address ip4
131 exporterIPv6Address ip6
132 droppedOctetDeltaCount u64 octets
133 droppedPacketDeltaCount u64 packets
134 droppedOctetTotalCount u64 octets
135 droppedPacketTotalCount u64 packets
136 flowEndReason u8
137 commonPropertiesId u64
138 observationPointId u64
139 icmpTypeCodeIPv6 u16
140 mplsTopLabelIPv6Address ip6
141 lineCardId u32
142 portId u32
143 meteringProcessId u32
144 exportingProcessId u32
145 templateId u16
146 wlanChannelId u8
147 wlanSSID text
148 flowId u64
149 observationDomainId u32
150 flowStartSeconds seconds
151 flowEndSeconds seconds
152 flowStartMilliseconds milliseconds
153 flowEndMilliseconds milliseconds
154 flowStartMicroseconds microseconds
155 flowEndMicroseconds microseconds
156 flowStartNanoseconds nanoseconds
157 flowEndNanoseconds nanoseconds
158 flowStartDeltaMicroseconds u32 microseconds
159 flowEndDeltaMicroseconds u32 microseconds
160 systemInitTimeMilliseconds milliseconds
161 flowDurationMilliseconds u32 milliseconds
162 flowDurationMicroseconds u32 microseconds
163 observedFlowTotalCount u64 flows
164 ignoredPacketTotalCount u64 packets
165 ignoredOctetTotalCount u64 octets
166 notSentFlowTotalCount u64 flows
167 notSentPacketTotalCount u64 packets
168 notSentOctetTotalCount u64 octets
169 destinationIPv6Prefix ip6
170 sourceIPv6Prefix ip6
171 postOctetTotalCount u64 octets
172 postPacketTotalCount u64 packets
173 flowKeyIndicator u64
174 postMCastPacketTotalCount u64 packets
175 postMCastOctetTotalCount u64 octets
176 icmpTypeIPv4 u8
177 icmpCodeIPv4 u8
178 icmpTypeIPv6 u8
179 icmpCodeIPv6 u8
180 udpSourcePort u16
181 udpDestinationPort u16
182 tcpSourcePort u16
183 tcpDestinationPort u16
184 tcpSequenceNumber u32
185 tcpAcknowledgementNumber u32
186 tcpWindowSize u16
187 tcpUrgentPointer u16
188 tcpHeaderLength u8 octets
189 ipHeaderLength u8 octets
190 totalLengthIPv4 u16 octets
191 payloadLengthIPv6 u16 octets
192 ipTTL u8 hops
193 nextHeaderIPv6 u8
194 mplsPayloadLength u32 octets
195 ipDiffServCodePoint u8
196 ipPrecedence u8
197 fragmentFlags u8
198 octetDeltaSumOfSquares u64
199 octetTotalSumOfSquares u64 octets
200 mplsTopLabelTTL u8 hops
201 mplsLabelStackLength u32 octets
202 mplsLabelStackDepth u32 entries
203 mplsTopLabelExp u8
204 ipPayloadLength u32 octets
205 udpMessageLength u16 octets
206 isMulticast u8
207 ipv4IHL u8 4-octet-words
208 ipv4Options u32
209 tcpOptions u64
210 paddingOctets bytes
211 collectorIPv4Address ip4
212 collectorIPv6Address ip6
213 exportInterface u32
214 exportProtocolVersion u8
215 exportTransportProtocol u8
216 collectorTransportPort u16
217 exporterTransportPort u16
218 tcpSynTotalCount u64 packets
219 tcpFinTotalCount u64 packets
220 tcpRstTotalCount u64 packets
221 tcpPshTotalCount u64 packets
222 tcpAckTotalCount u64 packets
223 tcpUrgTotalCount u64 packets
224 ipTotalLength u64 octets
225 postNATSourceIPv4Address ip4
226 postNATDestinationIPv4Address ip4
227 postNAPTSourceTransportPort u16
228 postNAPTDestinationTransportPort u16
229 natOriginatingAddressRealm u8
230 natEvent u8
`;
