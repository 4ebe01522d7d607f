// Citrix NetScaler AppFlow (enterprise 5951)

/** Lines of enterprise, id, name, type, unit. */
export const NETSCALER_ELEMENTS = `
5951 128 netscalerRoundTripTime u32 milliseconds
5951 129 netscalerTransactionId u32
5951 130 netscalerHttpReqUrl text
5951 131 netscalerHttpReqCookie text
5951 132 netscalerFlowFlags u64
5951 133 netscalerConnectionId u32
5951 134 netscalerSyslogPriority u8
5951 135 netscalerSyslogMessage text
5951 136 netscalerSyslogTimestamp u64
5951 140 netscalerHttpReqReferer text
5951 141 netscalerHttpReqMethod text
5951 142 netscalerHttpReqHost text
5951 143 netscalerHttpReqUserAgent text
5951 144 netscalerHttpRspStatus u16
5951 145 netscalerHttpRspLen u64
5951 146 netscalerServerTTFB u64 microseconds
5951 147 netscalerServerTTLB u64 microseconds
5951 150 netscalerAppNameIncarnationNumber u32
5951 151 netscalerAppNameAppId u32
5951 152 netscalerAppName text
5951 153 netscalerHttpReqRcvFB u64
5951 156 netscalerHttpReqForwFB u64
5951 157 netscalerHttpResRcvFB u64
5951 158 netscalerHttpResForwFB u64
5951 159 netscalerHttpReqRcvLB u64
5951 160 netscalerHttpReqForwLB u64
5951 161 netscalerMainPageId u32
5951 162 netscalerMainPageCoreId u32
5951 163 netscalerHttpClientInteractionStartTime text
5951 164 netscalerHttpClientRenderEndTime text
5951 165 netscalerHttpClientRenderStartTime text
5951 167 netscalerAppTemplateName text
5951 168 netscalerHttpClientInteractionEndTime text
5951 169 netscalerHttpResRcvLB u64
5951 170 netscalerHttpResForwLB u64
5951 171 netscalerAppUnitNameAppId u32
5951 172 netscalerDbLoginFlags u32
5951 173 netscalerDbReqType u8
5951 174 netscalerDbProtocolName u8
5951 175 netscalerDbUserName text
5951 176 netscalerDbDatabaseName text
5951 177 netscalerDbCltHostName text
5951 178 netscalerDbReqString text
5951 179 netscalerDbRespStatusString text
5951 180 netscalerDbRespStatus u64
5951 181 netscalerDbRespLength u64
5951 182 netscalerClientRTT u32
5951 183 netscalerHttpContentType text
5951 185 netscalerHttpReqAuthorization text
5951 186 netscalerHttpReqVia text
5951 187 netscalerHttpResLocation text
5951 188 netscalerHttpResSetCookie text
5951 189 netscalerHttpResSetCookie2 text
5951 190 netscalerHttpReqXForwardedFor text
5951 192 netscalerConnectionChainID bytes
5951 193 netscalerConnectionChainHopCount u8
5951 200 netscalerICASessionGuid bytes
5951 201 netscaleIcaClientVersion text
5951 202 netscalerIcaClientType u16
5951 203 netscalerIcaClientIP ip4
5951 204 netscalerIcaClientHostName text
5951 205 netscalerAaaUsername text
5951 207 netscalerIcaDomainName text
5951 208 netscalerIcaClientLauncher u16
5951 209 netscalerIcaSessionSetupTime u32
5951 210 netscalerIcaServerName text
5951 214 netscalerIcaSessionReconnects u8
5951 215 netscalerIcaRTT u32
5951 216 netscalerIcaClientsideRXBytes u32 octets
5951 217 netscalerIcaClientsideTXBytes u32 octets
5951 219 netscalerIcaClientsidePacketsRetransmit u16
5951 220 netscalerIcaServersidePacketsRetransmit u16
5951 221 netscalerIcaClientsideRTT u32
5951 222 netscalerIcaServersideRTT u32
5951 223 netscalerIcaSessionUpdateBeginSec u32
5951 224 netscalerIcaSessionUpdateEndSec u32
5951 225 netscalerIcaChannelId1 u32
5951 226 netscalerIcaChannelId1Bytes u32 octets
5951 227 netscalerIcaChannelId2 u32
5951 228 netscalerIcaChannelId2Bytes u32 octets
5951 229 netscalerIcaChannelId3 u32
5951 230 netscalerIcaChannelId3Bytes u32 octets
5951 231 netscalerIcaChannelId4 u32
5951 232 netscalerIcaChannelId4Bytes u32 octets
5951 233 netscalerIcaChannelId5 u32
5951 234 netscalerIcaChannelId5Bytes u32 octets
5951 235 netscalerIcaConnectionPriority u16
5951 236 netscalerApplicationStartupDuration u32
5951 237 netscalerIcaLaunchMechanism u16
5951 238 netscalerIcaApplicationName text
5951 239 netscalerApplicationStartupTime u32
5951 240 netscalerIcaApplicationTerminationType u16
5951 241 netscalerIcaApplicationTerminationTime u32
5951 242 netscalerIcaSessionEndTime u32
5951 243 netscalerIcaClientsideJitter u32
5951 244 netscalerIcaServersideJitter u32
5951 245 netscalerIcaAppProcessID u32
5951 246 netscalerIcaAppModulePath text
5951 247 netscalerIcaDeviceSerialNo u32
5951 248 netscalerMsiClientCookie bytes
5951 249 netscalerIcaFlags u64
5951 250 netscalerIcaUsername text
5951 251 netscalerLicenseType u8
5951 252 netscalerMaxLicenseCount u64
5951 253 netscalerCurrentLicenseConsumed u64
5951 254 netscalerIcaNetworkUpdateStartTime u32
5951 255 netscalerIcaNetworkUpdateEndTime u32
5951 256 netscalerIcaClientsideSRTT u32
5951 257 netscalerIcaServersideSRTT u32
5951 258 netscalerIcaClientsideDelay u32
5951 259 netscalerIcaServersideDelay u32
5951 260 netscalerIcaHostDelay u32
5951 261 netscalerIcaClientSideWindowSize u16
5951 262 netscalerIcaServerSideWindowSize u16
5951 263 netscalerIcaClientSideRTOCount u16
5951 264 netscalerIcaServerSideRTOCount u16
5951 265 netscalerIcaL7ClientLatency u32
5951 266 netscalerIcaL7ServerLatency u32
5951 267 netscalerHttpDomainName text
5951 268 netscalerCacheRedirClientConnectionCoreID u32
5951 269 netscalerCacheRedirClientConnectionTransactionID u32
`;
