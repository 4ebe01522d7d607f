// Cisco (enterprise 9): AVC, application response time, media monitoring, PfR, WAAS, zone-based firewall, TrustSec, NVM, SD-WAN

/** Lines of enterprise, id, name, type, unit. In NetFlow v9 their ids have 32768 added. */
export const CISCO_ELEMENTS = `
9 21 ciscoPfrMapName text
9 22 ciscoPfrReason text
9 232 ciscoIngressAclId bytes
9 233 ciscoEgressAclId bytes
9 234 ciscoFwExtEvent u16
9 235 ciscoFwEventLevel u32
9 236 ciscoFwEventLevelId u32
9 237 ciscoFwConfigValue u32
9 238 ciscoFwErmCode u16
9 239 ciscoFwErmDescription text
9 1232 ciscoTrustsecSourceId text
9 1233 ciscoTrustsecDestinationId text
9 1234 ciscoTrustsecSourceName text
9 1235 ciscoTrustsecDestinationName text
9 1236 ciscoTrustsecSwitchDerivedSgt text
9 2233 ciscoZoneFirewallExtEvent u16
9 2236 ciscoFwBlackoutSeconds u32 seconds
9 2237 ciscoFwHalfOpenSessionsRate1minMax u32
9 2238 ciscoFwHalfOpenSessionsRate1min u32
9 2239 ciscoFwZonepairId u32
9 2240 ciscoFwSessionsMax u32
9 2241 ciscoFwZonepair text
9 2242 ciscoFwExtEventDescription text
9 2243 ciscoFwDropPassSummaryPackets u32 packets
9 2244 ciscoFwHalfOpenSessions u32
9 3232 ciscoWaasDreInput u32
9 3233 ciscoWaasDreOutput u32
9 3234 ciscoWaasLzInput u32
9 3235 ciscoWaasLzOutput u32
9 3240 ciscoWaasConnectionMode u32
9 3241 ciscoWaasInputBytes u32 octets
9 3242 ciscoWaasOutputBytes u32 octets
9 4232 ciscoTransportShortTermPacketsDrop u32 packets
9 4233 ciscoTransportLongTermPacketsDrop u32 packets
9 4236 ciscoApplicationMediaBytes u32 octets
9 4238 ciscoApplicationMediaByteRate u32
9 4239 ciscoApplicationMediaPackets u32 packets
9 4241 ciscoApplicationMediaPacketRate u32
9 4242 ciscoApplicationMediaPacketRateVariation u32
9 4243 ciscoApplicationMediaEvent u32
9 4244 ciscoApplicationMonitorEvent u32
9 4246 ciscoTransportPacketsExpected u32 packets
9 4248 ciscoTransportRtt u32
9 4249 ciscoTransportPacketSetsLost u32
9 4251 ciscoTransportShortTermPacketsLost u32 packets
9 4252 ciscoTransportLongTermPacketsLost u32 packets
9 4253 ciscoTransportPacketLossRate u32
9 4254 ciscoTransportRtpSsrc u32
9 4255 ciscoTransportRtpJitterMean u32
9 4256 ciscoTransportRtpJitterMin u32
9 4257 ciscoTransportRtpJitterMax u32
9 4260 ciscoControlledTrafficClass u32
9 4261 ciscoInPolicyTrafficClass u32
9 4270 ciscoApplicationMediaPacketRateVariationMin u32
9 4271 ciscoApplicationMediaPacketRateVariationMax u32
9 4272 ciscoTransportRtpFlows u32
9 4273 ciscoTransportRtpPayloadType u32
9 4279 ciscoTransportPacketLossRateMin u32
9 4280 ciscoTransportPacketLossRateMax u32
9 4282 ciscoTransportRttSum u32
9 4284 ciscoTransportRttMin u32
9 4285 ciscoTransportRttMax u32
9 4286 ciscoMetadataGlobalSessionId u32
9 4287 ciscoMetadataMultiPartySessionId u32
9 4288 ciscoMetadataClockRate u32
9 4295 ciscoNetworkDelayAverage u32
9 4313 ciscoOneWayDelay u32
9 4315 ciscoTcpWindowSizeMin u32 octets
9 4316 ciscoTcpWindowSizeMax u32 octets
9 4318 ciscoTcpMaximumSegmentSize u16 octets
9 4324 ciscoTcpWindowSizeSum u64 octets
9 4330 ciscoRtpJitterInterarrivalAverage u32
9 4331 ciscoPfrSourceSiteId ip4
9 4332 ciscoPfrDestinationSiteId ip4
9 4335 ciscoTransportByteLossRate u32
9 4338 ciscoPfrEventTrafficClassNomitigationErrBandwidthCount u32
9 4340 ciscoPfrEventTrafficClassNomitigationErrPerfCount u32
9 4342 ciscoPfrDestinationSitePrefix ip4
9 4346 ciscoPfrDestinationSitePrefixMask u8
9 4350 ciscoPfrLabelId u32
9 6232 ciscoPfrBorderRouterAddress ip4
9 6233 ciscoPfrState u16
9 6234 ciscoPfrReasonId u32
9 6235 ciscoPfrThreshold u32
9 6236 ciscoPfrPriority u16
9 6238 ciscoLongTermRtt u32
9 6239 ciscoMosBelowCounts u32
9 6240 ciscoRsvpBandwidthPool u64
9 6241 ciscoRollupCounter u16
9 6242 ciscoKthTierPercent u16
9 6243 ciscoKthBandwidthFee u32
9 6244 ciscoSourcePortMin u16
9 6245 ciscoSourcePortMax u16
9 6246 ciscoDestinationPortMin u16
9 6247 ciscoDestinationPortMax u16
9 6248 ciscoLinkCapacity u64
9 6249 ciscoIngressBandwidth u64
9 6250 ciscoIngressBandwidthMax u64
9 6251 ciscoEgressBandwidth u64
9 6252 ciscoEgressBandwidthMax u64
9 6253 ciscoIngressRollupBandwidth u64
9 6254 ciscoEgressRollupBandwidth u64
9 6255 ciscoKthRollupBandwidth u64
9 6256 ciscoLinkGroupName text
9 6257 ciscoBgpCommunity u32
9 6258 ciscoBgpPrepend u8
9 6260 ciscoCostDiscardRollupCount u16
9 6901 ciscoIptDialingPhone ip4
9 6902 ciscoIptDialingUser text
9 6903 ciscoIptDialedPhone ip4
9 6904 ciscoIptDialedUser text
9 6905 ciscoIptCallDuration u32
9 6906 ciscoIptCallEndReason u32
9 6911 ciscoIptCallsDialed u32
9 6912 ciscoIptCallsConnected u32
9 6913 ciscoIptCallsFailed u32
9 7232 ciscoUserName text
9 7517 ciscoClientLongLivedNetworkDelayMax u32
9 7518 ciscoClientLongLivedNetworkDelayMin u32
9 7520 ciscoServerLongLivedNetworkDelayMax u32
9 7521 ciscoServerLongLivedNetworkDelayMin u32
9 8232 ciscoClassHierarchy bytes
9 8337 ciscoServerBytesNetwork u64 octets
9 8338 ciscoClientBytesNetwork u64 octets
9 9250 ciscoConcurrentSessions u32
9 9252 ciscoServicesWaasSegment u8
9 9253 ciscoServicesWaasPassThroughReason u8
9 9254 ciscoServerLongLivedNetworkDelaySum u32
9 9255 ciscoClientLongLivedNetworkDelaySum u32
9 9256 ciscoTotalLongLivedNetworkDelaySum u32
9 9257 ciscoTotalLongLivedNetworkDelaySamples u32
9 9258 ciscoServerLongLivedNetworkDelaySamples u32
9 9259 ciscoClientLongLivedNetworkDelaySamples u32
9 9265 ciscoClientPackets u64 packets
9 9266 ciscoServerPackets u64 packets
9 9267 ciscoClientRetransBytes u32 octets
9 9268 ciscoClientRetransPackets u32 packets
9 9269 ciscoServerRetransBytes u32 octets
9 9270 ciscoServerRetransPackets u32 packets
9 9272 ciscoTransactionCountDelta u32
9 9273 ciscoSumTransactionTime u32 milliseconds
9 9274 ciscoMaxTransactionTime u32 milliseconds
9 9275 ciscoMinTransactionTime u32 milliseconds
9 9292 ciscoNumRespsCountDelta u32
9 9293 ciscoNumResps1CountDelta u32
9 9294 ciscoNumResps2CountDelta u32
9 9295 ciscoNumResps3CountDelta u32
9 9296 ciscoNumResps4CountDelta u32
9 9297 ciscoNumResps5CountDelta u32
9 9298 ciscoNumResps6CountDelta u32
9 9299 ciscoNumResps7CountDelta u32
9 9300 ciscoNumLateRespsCountDelta u32
9 9303 ciscoSumRespTime u32 milliseconds
9 9304 ciscoMaxRespTime u32 milliseconds
9 9305 ciscoMinRespTime u32 milliseconds
9 9306 ciscoSumServerRespTime u32 milliseconds
9 9307 ciscoMaxServerRespTime u32 milliseconds
9 9308 ciscoMinServerRespTime u32 milliseconds
9 9309 ciscoSumTotalRespTime u32 milliseconds
9 9310 ciscoMaxTotalRespTime u32 milliseconds
9 9311 ciscoMinTotalRespTime u32 milliseconds
9 9313 ciscoSumNwkTime u32 milliseconds
9 9314 ciscoMaxNwkTime u32 milliseconds
9 9315 ciscoMinNwkTime u32 milliseconds
9 9316 ciscoSumClientNwkTime u32 milliseconds
9 9317 ciscoMaxClientNwkTime u32 milliseconds
9 9318 ciscoMinClientNwkTime u32 milliseconds
9 9319 ciscoSumServerNwkTime u32 milliseconds
9 9320 ciscoMaxServerNwkTime u32 milliseconds
9 9321 ciscoMinServerNwkTime u32 milliseconds
9 9347 ciscoRtpShortTermMos u32
9 9355 ciscoRtpMos u32
9 9356 ciscoRtpMosTotal u32
9 9357 ciscoAppHTTPUriStatistics text
9 9360 ciscoPolicyQosQueueID u32
9 9361 ciscoPolicyQosQueueDrop u64
9 12172 ciscoEtaIdpOld bytes
9 12173 ciscoEtaSlptOld bytes
9 12228 ciscoApplicationVersion text
9 12229 ciscoApplicationProto text
9 12230 ciscoApplicationFamily text
9 12231 ciscoApplicationSet text
9 12232 ciscoAppCategoryName text
9 12233 ciscoAppSubCategoryName text
9 12234 ciscoAppGroupName text
9 12235 ciscoAppHTTPHost text
9 12236 ciscoClientIPv4Address ip4
9 12237 ciscoServerIPv4Address ip4
9 12238 ciscoClientIPv6Address ip6
9 12239 ciscoServerIPv6Address ip6
9 12240 ciscoClientTransportPort u16
9 12241 ciscoServerTransportPort u16
9 12242 ciscoConnectionId u32
9 12243 ciscoApplicationTrafficClass text
9 12244 ciscoAppBusiness text
9 12332 ciscoNvzflowUdid bytes
9 12333 ciscoNvzflowUser text
9 12334 ciscoNvzflowOsName text
9 12335 ciscoNvzflowOsVersion text
9 12336 ciscoNvzflowSystemVendor text
9 12337 ciscoNvzflowSystemType text
9 12338 ciscoNvzflowProcessAccount text
9 12339 ciscoNvzflowParentProcessAccount text
9 12340 ciscoNvzflowProcess text
9 12341 ciscoNvzflowProcessHash bytes
9 12342 ciscoNvzflowParentProcess text
9 12343 ciscoNvzflowParentProcessHash bytes
9 12344 ciscoNvzflowDnsSuffix text
9 12345 ciscoNvzflowDestinationHostname text
9 12346 ciscoNvzflowL4BytesIn u64 octets
9 12347 ciscoNvzflowL4BytesOut u64 octets
9 12351 ciscoNvzflowOsEdition text
9 12352 ciscoNvzflowModuleList text
9 12353 ciscoNvzflowHashList text
9 12354 ciscoNvzflowCoordinateList text
9 12355 ciscoNvzflowInterfaceInfoUid u32
9 12356 ciscoNvzflowInterfaceIndex u32
9 12357 ciscoNvzflowInterfaceType u8
9 12358 ciscoNvzflowInterfaceName text
9 12359 ciscoNvzflowInterfaceDetailsList text
9 12360 ciscoNvzflowInterfaceMac text
9 12361 ciscoNvzflowUserAccountType u16
9 12362 ciscoNvzflowProcessUserAccountType u16
9 12363 ciscoNvzflowParentProcessUserAccountType u16
9 12432 ciscoSdwanIngressOverlaySessionId u32
9 12433 ciscoSdwanEgressOverlaySessionId u32
9 12434 ciscoSdwanVpnId u32
9 12435 ciscoSdwanTlocOverlaySessionId u32
9 12436 ciscoSdwanTlocLocalIp ip4
9 12437 ciscoSdwanTlocLocalColor text
9 12438 ciscoSdwanTlocRemoteIp ip4
9 12439 ciscoSdwanTlocRemoteColor text
9 12440 ciscoSdwanTlocTunnelProto text
9 12441 ciscoSdwanConnectionId u64
9 12442 ciscoSdwanDropCause u16
9 12443 ciscoSdwanDroppedBytes u64 octets
9 12444 ciscoSdwanSlaNotMet u8
9 12445 ciscoSdwanPreferredColorNotMet u8
9 12446 ciscoSdwanQosQueueId u8
9 12447 ciscoSdwanDropCauseDescription text
9 12448 ciscoSdwanAppqoeFecPackets u32 packets
9 12449 ciscoSdwanAppqoeFecPacketsReconstructed u32
9 12450 ciscoSdwanAppqoeOrigTunnelPktDupPackets u32 packets
9 12451 ciscoSdwanAppqoeDupTunnelPktDupPackets u32 packets
9 12452 ciscoSdwanAppqoePktDupPacketsRecovered u32
9 12453 ciscoSdwanCloudExpressPackets u32 packets
9 16386 ciscoEtaIdpOld16386 bytes
9 16387 ciscoEtaSlptOld16387 bytes
9 29844 ciscoEndpointProcessUser text
9 29845 ciscoEndpointProcessName text
9 29846 ciscoEndpointProcessHash text
9 29847 ciscoEndpointProcessParentUser text
9 29848 ciscoEndpointProcessParentName text
9 29849 ciscoEndpointProcessParentHash text
`;
