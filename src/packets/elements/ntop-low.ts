// ntop nProbe (enterprise 35632), ids below 400

/** Lines of enterprise, id, name, type, unit; named as the labels of nProbe templates. In NetFlow v9 their ids have 57472 added. */
export const NTOP_LOW = `
35632 78 ntopClientTcpFlags u8
35632 79 ntopServerTcpFlags u8
35632 80 ntopSrcFragments u16
35632 81 ntopDstFragments u16
35632 82 ntopSourceToDestinationMaxThroughput u32
35632 83 ntopSourceToDestinationMinThroughput u32
35632 84 ntopSourceToDestinationAverageThroughput u32
35632 85 ntopDestinationToSourceMaxThroughput u32
35632 86 ntopDestinationToSourceMinThroughput u32
35632 87 ntopDestinationToSourceAverageThroughput u32
35632 88 ntopNumPktsUpTo128Bytes u32 packets
35632 89 ntopNumPkts128To256Bytes u32 packets
35632 90 ntopNumPkts256To512Bytes u32 packets
35632 91 ntopNumPkts512To1024Bytes u32 packets
35632 92 ntopNumPkts1024To1514Bytes u32 packets
35632 93 ntopNumPktsOver1514Bytes u32 packets
35632 98 ntopCumulativeIcmpType u16
35632 101 ntopSrcIpCountry text
35632 102 ntopSrcIpCity text
35632 103 ntopDstIpCountry text
35632 104 ntopDstIpCity text
35632 105 ntopFlowProtoPort u16
35632 106 ntopUpstreamTunnelId u32
35632 107 ntopLongestFlowPkt u16
35632 108 ntopShortestFlowPkt u16
35632 109 ntopRetransmittedInPkts u32 packets
35632 110 ntopRetransmittedOutPkts u32 packets
35632 111 ntopOoorderInPkts u32 packets
35632 112 ntopOoorderOutPkts u32 packets
35632 113 ntopUntunneledProtocol u8
35632 114 ntopUntunneledIpv4SrcAddr ip4
35632 115 ntopUntunneledL4SrcPort u16
35632 116 ntopUntunneledIpv4DstAddr ip4
35632 117 ntopUntunneledL4DstPort u16
35632 118 ntopL7Proto u16
35632 119 ntopL7ProtoName text
35632 120 ntopDownstreamTunnelId u32
35632 121 ntopFlowUserName text
35632 122 ntopNprobeInstanceName text
35632 123 ntopClientNwLatencyMs u32 milliseconds
35632 124 ntopServerNwLatencyMs u32 milliseconds
35632 125 ntopApplLatencyMs u32 milliseconds
35632 126 ntopPluginName text
35632 127 ntopRetransmittedInBytes u32 octets
35632 128 ntopRetransmittedOutBytes u32 octets
35632 130 ntopSipCallId text
35632 131 ntopSipCallingParty text
35632 132 ntopSipCalledParty text
35632 133 ntopSipRtpCodecs text
35632 134 ntopSipInviteTime u32
35632 135 ntopSipTryingTime u32
35632 136 ntopSipRingingTime u32
35632 137 ntopSipInviteOkTime u32
35632 138 ntopSipInviteFailureTime u32
35632 139 ntopSipByeTime u32
35632 140 ntopSipByeOkTime u32
35632 141 ntopSipCancelTime u32
35632 142 ntopSipCancelOkTime u32
35632 143 ntopSipRtpIpv4SrcAddr ip4
35632 144 ntopSipRtpL4SrcPort u16
35632 145 ntopSipRtpIpv4DstAddr ip4
35632 146 ntopSipRtpL4DstPort u16
35632 147 ntopSipResponseCode u32
35632 148 ntopSipReasonCause u32
35632 150 ntopRtpFirstSeq u32
35632 151 ntopRtpFirstTs u32
35632 152 ntopRtpLastSeq u32
35632 153 ntopRtpLastTs u32
35632 154 ntopRtpInJitter u32
35632 155 ntopRtpOutJitter u32
35632 156 ntopRtpInPktLost u32
35632 157 ntopRtpOutPktLost u32
35632 158 ntopRtpOutPayloadType u8
35632 159 ntopRtpInMaxDelta u32
35632 160 ntopRtpOutMaxDelta u32
35632 161 ntopRtpInPayloadType u8
35632 168 ntopSrcProcPid u32
35632 169 ntopSrcProcName text
35632 180 ntopHttpUrl text
35632 181 ntopHttpRetCode u16
35632 182 ntopHttpReferer text
35632 183 ntopHttpUserAgent text
35632 184 ntopHttpMime text
35632 185 ntopSmtpMailFrom text
35632 186 ntopSmtpRcptTo text
35632 187 ntopHttpHost text
35632 188 ntopTlsServerName text
35632 189 ntopBittorrentHash text
35632 195 ntopMysqlSrvVersion text
35632 196 ntopMysqlUsername text
35632 197 ntopMysqlDb text
35632 198 ntopMysqlQuery text
35632 199 ntopMysqlResponse u16
35632 200 ntopOracleUsername text
35632 201 ntopOracleQuery text
35632 202 ntopOracleRspCode u16
35632 203 ntopOracleRspString text
35632 204 ntopOracleQueryDuration u32
35632 205 ntopDnsQuery text
35632 206 ntopDnsQueryId u16
35632 207 ntopDnsQueryType u8
35632 208 ntopDnsRetCode u8
35632 209 ntopDnsNumAnswers u8
35632 210 ntopPopUser text
35632 220 ntopGtpv1ReqMsgType u8
35632 221 ntopGtpv1RspMsgType u8
35632 222 ntopGtpv1C2sTeidData u32
35632 223 ntopGtpv1C2sTeidCtrl u32
35632 224 ntopGtpv1S2cTeidData u32
35632 225 ntopGtpv1S2cTeidCtrl u32
35632 226 ntopGtpv1EndUserIp ip4
35632 227 ntopGtpv1EndUserImsi text
35632 228 ntopGtpv1EndUserMsisdn text
35632 229 ntopGtpv1EndUserImei text
35632 230 ntopGtpv1ApnName text
35632 231 ntopGtpv1RaiMcc u16
35632 232 ntopGtpv1RaiMnc u16
35632 233 ntopGtpv1UliCellLac u16
35632 234 ntopGtpv1UliCellCi u16
35632 235 ntopGtpv1UliSac u16
35632 236 ntopGtpv1RatType u8
35632 240 ntopRadiusReqMsgType u8
35632 241 ntopRadiusRspMsgType u8
35632 242 ntopRadiusUserName text
35632 243 ntopRadiusCallingStationId text
35632 244 ntopRadiusCalledStationId text
35632 245 ntopRadiusNasIpAddr ip4
35632 246 ntopRadiusNasIdentifier text
35632 247 ntopRadiusUserImsi text
35632 248 ntopRadiusUserImei text
35632 249 ntopRadiusFramedIpAddr ip4
35632 250 ntopRadiusAcctSessionId text
35632 251 ntopRadiusAcctStatusType text
35632 252 ntopRadiusAcctInOctets u32 octets
35632 253 ntopRadiusAcctOutOctets u32 octets
35632 254 ntopRadiusAcctInPkts u32 packets
35632 255 ntopRadiusAcctOutPkts u32 packets
35632 260 ntopImapLogin text
35632 270 ntopGtpv2ReqMsgType u8
35632 271 ntopGtpv2RspMsgType u8
35632 272 ntopGtpv2C2sS1uGtpuTeid u32
35632 273 ntopGtpv2C2sS1uGtpuIp ip4
35632 274 ntopGtpv2S2cS1uGtpuTeid text
35632 275 ntopGtpv2S2cS1uGtpuIp ip4
35632 276 ntopGtpv2EndUserImsi text
35632 277 ntopGtpv2EndUserMsisdn text
35632 278 ntopGtpv2ApnName text
35632 279 ntopGtpv2UliMcc u16
35632 280 ntopGtpv2UliMnc u16
35632 281 ntopGtpv2UliCellTac u16
35632 282 ntopGtpv2UliCellId u32
35632 283 ntopGtpv2RatType u8
35632 284 ntopGtpv2PdnIp ip4
35632 285 ntopGtpv2EndUserImei text
35632 290 ntopSrcAsPath1 u32
35632 291 ntopSrcAsPath2 u32
35632 292 ntopSrcAsPath3 u32
35632 293 ntopSrcAsPath4 u32
35632 294 ntopSrcAsPath5 u32
35632 295 ntopSrcAsPath6 u32
35632 296 ntopSrcAsPath7 u32
35632 297 ntopSrcAsPath8 u32
35632 298 ntopSrcAsPath9 u32
35632 299 ntopSrcAsPath10 u32
35632 300 ntopDstAsPath1 u32
35632 301 ntopDstAsPath2 u32
35632 302 ntopDstAsPath3 u32
35632 303 ntopDstAsPath4 u32
35632 304 ntopDstAsPath5 u32
35632 305 ntopDstAsPath6 u32
35632 306 ntopDstAsPath7 u32
35632 307 ntopDstAsPath8 u32
35632 308 ntopDstAsPath9 u32
35632 309 ntopDstAsPath10 u32
35632 316 ntopSipUac text
35632 317 ntopSipUas text
35632 320 ntopMysqlApplLatencyUsec u32 microseconds
35632 321 ntopGtpv0ReqMsgType u8
35632 322 ntopGtpv0RspMsgType u8
35632 323 ntopGtpv0Tid u64
35632 324 ntopGtpv0EndUserIp ip4
35632 325 ntopGtpv0EndUserMsisdn text
35632 326 ntopGtpv0ApnName text
35632 327 ntopGtpv0RaiMcc u16
35632 328 ntopGtpv0RaiMnc u16
35632 329 ntopGtpv0RaiCellLac u16
35632 330 ntopGtpv0RaiCellRac u16
35632 331 ntopGtpv0ResponseCause u8
35632 332 ntopGtpv1ResponseCause u8
35632 333 ntopGtpv2ResponseCause u8
35632 334 ntopNumPktsTtl532 u32 packets
35632 335 ntopNumPktsTtl3264 u32 packets
35632 336 ntopNumPktsTtl6496 u32 packets
35632 337 ntopNumPktsTtl96128 u32 packets
35632 338 ntopNumPktsTtl128160 u32 packets
35632 339 ntopNumPktsTtl160192 u32 packets
35632 340 ntopNumPktsTtl192224 u32 packets
35632 341 ntopNumPktsTtl224255 u32 packets
35632 342 ntopGtpv1RaiLac u16
35632 343 ntopGtpv1RaiRac u8
35632 344 ntopGtpv1UliMcc u16
35632 345 ntopGtpv1UliMnc u32
35632 346 ntopNumPktsTtl25 u32 packets
35632 347 ntopNumPktsTtlEq1 u32 packets
35632 348 ntopRtpSipCallId text
35632 349 ntopInSrcOsiSap text
35632 350 ntopOutDstOsiSap text
35632 351 ntopWhoisDasDomain text
35632 352 ntopDnsTtlAnswer u32
35632 353 ntopDhcpClientMac mac
35632 354 ntopDhcpClientIp ip4
35632 355 ntopDhcpClientName text
35632 356 ntopFtpLogin text
35632 357 ntopFtpPassword text
35632 358 ntopFtpCommand text
35632 359 ntopFtpCommandRetCode u16
35632 360 ntopHttpMethod text
35632 361 ntopHttpSite text
35632 362 ntopSipCIp ip4
35632 363 ntopSipCallState text
35632 364 ntopEppRegistrarName text
35632 365 ntopEppCmd bytes
35632 366 ntopEppCmdArgs bytes
35632 367 ntopEppRspCode u32
35632 368 ntopEppReasonStr bytes
35632 369 ntopEppServerName text
35632 370 ntopRtpInMos u32
35632 371 ntopRtpInRFactor u32
35632 372 ntopSrcProcUserName text
35632 373 ntopSrcFatherProcPid u32
35632 374 ntopSrcFatherProcName text
35632 375 ntopDstProcPid u32
35632 376 ntopDstProcName text
35632 377 ntopDstProcUserName text
35632 378 ntopDstFatherProcPid u32
35632 379 ntopDstFatherProcName text
35632 380 ntopRtpRtt u32
35632 381 ntopRtpInTransit u32
35632 382 ntopRtpOutTransit u32
35632 383 ntopSrcProcActualMemory u32
35632 384 ntopSrcProcPeakMemory u32
35632 385 ntopSrcProcAverageCpuLoad u32
35632 386 ntopSrcProcNumPageFaults u32
35632 387 ntopDstProcActualMemory u32
35632 388 ntopDstProcPeakMemory u32
35632 389 ntopDstProcAverageCpuLoad u32
35632 390 ntopDstProcNumPageFaults u32
35632 391 ntopDurationIn u32
35632 392 ntopDurationOut u32
35632 393 ntopSrcProcPctgIowait u32
35632 394 ntopDstProcPctgIowait u32
35632 395 ntopRtpDtmfTones text
35632 396 ntopUntunneledIpv6SrcAddr ip6
35632 397 ntopUntunneledIpv6DstAddr ip6
35632 398 ntopDnsResponse text
35632 399 ntopDiameterReqMsgType u32
`;
