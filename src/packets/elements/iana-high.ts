// IANA IPFIX Information Elements from 231 on: id, name, type, unit (iana.org/assignments/ipfix)

export const IANA_HIGH = `
231 initiatorOctets u64 octets
232 responderOctets u64 octets
233 firewallEvent u8
234 ingressVRFID u32
235 egressVRFID u32
236 VRFname text
237 postMplsTopLabelExp u8
238 tcpWindowScale u16
239 biflowDirection u8
240 ethernetHeaderLength u8 octets
241 ethernetPayloadLength u16 octets
242 ethernetTotalLength u16 octets
243 dot1qVlanId u16
244 dot1qPriority u8
245 dot1qCustomerVlanId u16
246 dot1qCustomerPriority u8
247 metroEvcId text
248 metroEvcType u8
249 pseudoWireId u32
250 pseudoWireType u16
251 pseudoWireControlWord u32
252 ingressPhysicalInterface u32
253 egressPhysicalInterface u32
254 postDot1qVlanId u16
255 postDot1qCustomerVlanId u16
256 ethernetType u16
257 postIpPrecedence u8
258 collectionTimeMilliseconds milliseconds
259 exportSctpStreamId u16
260 maxExportSeconds seconds
261 maxFlowEndSeconds seconds
262 messageMD5Checksum bytes
263 messageScope u8
264 minExportSeconds seconds
265 minFlowStartSeconds seconds
266 opaqueOctets bytes
267 sessionScope u8
268 maxFlowEndMicroseconds microseconds
269 maxFlowEndMilliseconds milliseconds
270 maxFlowEndNanoseconds nanoseconds
271 minFlowStartMicroseconds microseconds
272 minFlowStartMilliseconds milliseconds
273 minFlowStartNanoseconds nanoseconds
274 collectorCertificate bytes
275 exporterCertificate bytes
276 dataRecordsReliability bool
277 observationPointType u8
278 newConnectionDeltaCount u32
279 connectionSumDurationSeconds u64 seconds
280 connectionTransactionId u64
281 postNATSourceIPv6Address ip6
282 postNATDestinationIPv6Address ip6
283 natPoolId u32
284 natPoolName text
285 anonymizationFlags u16
286 anonymizationTechnique u16
287 informationElementIndex u16
288 p2pTechnology text
289 tunnelTechnology text
290 encryptedTechnology text
291 basicList basicList
292 subTemplateList subTemplateList
293 subTemplateMultiList subTemplateMultiList
294 bgpValidityState u8
295 IPSecSPI u32
296 greKey u32
297 natType u8
298 initiatorPackets u64 packets
299 responderPackets u64 packets
300 observationDomainName text
301 selectionSequenceId u64
302 selectorId u64
303 informationElementId u16
304 selectorAlgorithm u16
305 samplingPacketInterval u32 packets
306 samplingPacketSpace u32 packets
307 samplingTimeInterval u32 microseconds
308 samplingTimeSpace u32 microseconds
309 samplingSize u32 packets
310 samplingPopulation u32 packets
311 samplingProbability float
312 dataLinkFrameSize u16 octets
313 ipHeaderPacketSection bytes
314 ipPayloadPacketSection bytes
315 dataLinkFrameSection bytes
316 mplsLabelStackSection bytes
317 mplsPayloadPacketSection bytes
318 selectorIdTotalPktsObserved u64 packets
319 selectorIdTotalPktsSelected u64 packets
320 absoluteError float
321 relativeError float
322 observationTimeSeconds seconds
323 observationTimeMilliseconds milliseconds
324 observationTimeMicroseconds microseconds
325 observationTimeNanoseconds nanoseconds
326 digestHashValue u64
327 hashIPPayloadOffset u64
328 hashIPPayloadSize u64
329 hashOutputRangeMin u64
330 hashOutputRangeMax u64
331 hashSelectedRangeMin u64
332 hashSelectedRangeMax u64
333 hashDigestOutput bool
334 hashInitialiserValue u64
335 selectorName text
336 upperCILimit float
337 lowerCILimit float
338 confidenceLevel float
339 informationElementDataType u8
340 informationElementDescription text
341 informationElementName text
342 informationElementRangeBegin u64
343 informationElementRangeEnd u64
344 informationElementSemantics u8
345 informationElementUnits u16
346 privateEnterpriseNumber u32
347 virtualStationInterfaceId bytes
348 virtualStationInterfaceName text
349 virtualStationUUID bytes
350 virtualStationName text
351 layer2SegmentId u64
352 layer2OctetDeltaCount u64 octets
353 layer2OctetTotalCount u64 octets
354 ingressUnicastPacketTotalCount u64 packets
355 ingressMulticastPacketTotalCount u64 packets
356 ingressBroadcastPacketTotalCount u64 packets
357 egressUnicastPacketTotalCount u64 packets
358 egressBroadcastPacketTotalCount u64 packets
359 monitoringIntervalStartMilliSeconds milliseconds
360 monitoringIntervalEndMilliSeconds milliseconds
361 portRangeStart u16
362 portRangeEnd u16
363 portRangeStepSize u16
364 portRangeNumPorts u16
365 staMacAddress mac
366 staIPv4Address ip4
367 wtpMacAddress mac
368 ingressInterfaceType u32
369 egressInterfaceType u32
370 rtpSequenceNumber u16
371 userName text
372 applicationCategoryName text
373 applicationSubCategoryName text
374 applicationGroupName text
375 originalFlowsPresent u64 flows
376 originalFlowsInitiated u64 flows
377 originalFlowsCompleted u64 flows
378 distinctCountOfSourceIPAddress u64
379 distinctCountOfDestinationIPAddress u64
380 distinctCountOfSourceIPv4Address u32
381 distinctCountOfDestinationIPv4Address u32
382 distinctCountOfSourceIPv6Address u64
383 distinctCountOfDestinationIPv6Address u64
384 valueDistributionMethod u8
385 rfc3550JitterMilliseconds u32 milliseconds
386 rfc3550JitterMicroseconds u32 microseconds
387 rfc3550JitterNanoseconds u32 nanoseconds
388 dot1qDEI bool
389 dot1qCustomerDEI bool
390 flowSelectorAlgorithm u16
391 flowSelectedOctetDeltaCount u64 octets
392 flowSelectedPacketDeltaCount u64 packets
393 flowSelectedFlowDeltaCount u64 flows
394 selectorIDTotalFlowsObserved u64 flows
395 selectorIDTotalFlowsSelected u64 flows
396 samplingFlowInterval u64 flows
397 samplingFlowSpacing u64 flows
398 flowSamplingTimeInterval u64 microseconds
399 flowSamplingTimeSpacing u64 microseconds
400 hashFlowDomain u16
401 transportOctetDeltaCount u64 octets
402 transportPacketDeltaCount u64 packets
403 originalExporterIPv4Address ip4
404 originalExporterIPv6Address ip6
405 originalObservationDomainId u32
406 intermediateProcessId u32
407 ignoredDataRecordTotalCount u64
408 dataLinkFrameType u16
409 sectionOffset u16
410 sectionExportedOctets u16 octets
411 dot1qServiceInstanceTag bytes
412 dot1qServiceInstanceId u32
413 dot1qServiceInstancePriority u8
414 dot1qCustomerSourceMacAddress mac
415 dot1qCustomerDestinationMacAddress mac
417 postLayer2OctetDeltaCount u64 octets
418 postMCastLayer2OctetDeltaCount u64 octets
420 postLayer2OctetTotalCount u64 octets
421 postMCastLayer2OctetTotalCount u64 octets
422 minimumLayer2TotalLength u64 octets
423 maximumLayer2TotalLength u64 octets
424 droppedLayer2OctetDeltaCount u64 octets
425 droppedLayer2OctetTotalCount u64 octets
426 ignoredLayer2OctetTotalCount u64 octets
427 notSentLayer2OctetTotalCount u64 octets
428 layer2OctetDeltaSumOfSquares u64 octets
429 layer2OctetTotalSumOfSquares u64 octets
430 layer2FrameDeltaCount u64 frames
431 layer2FrameTotalCount u64 frames
432 pseudoWireDestinationIPv4Address ip4
433 ignoredLayer2FrameTotalCount u64 frames
434 mibObjectValueInteger i32
435 mibObjectValueOctetString bytes
436 mibObjectValueOID bytes
437 mibObjectValueBits bytes
438 mibObjectValueIPAddress ip4
439 mibObjectValueCounter u64
440 mibObjectValueGauge u32
441 mibObjectValueTimeTicks u32
442 mibObjectValueUnsigned u32
443 mibObjectValueTable subTemplateList
444 mibObjectValueRow subTemplateList
445 mibObjectIdentifier bytes
446 mibSubIdentifier u32
447 mibIndexIndicator u64
448 mibCaptureTimeSemantics u8
449 mibContextEngineID bytes
450 mibContextName text
451 mibObjectName text
452 mibObjectDescription text
453 mibObjectSyntax text
454 mibModuleName text
455 mobileIMSI text
456 mobileMSISDN text
457 httpStatusCode u16
458 sourceTransportPortsLimit u16 ports
459 httpRequestMethod text
460 httpRequestHost text
461 httpRequestTarget text
462 httpMessageVersion text
463 natInstanceID u32
464 internalAddressRealm bytes
465 externalAddressRealm bytes
466 natQuotaExceededEvent u32
467 natThresholdEvent u32
468 httpUserAgent text
469 httpContentType text
470 httpReasonPhrase text
471 maxSessionEntries u32
472 maxBIBEntries u32
473 maxEntriesPerUser u32
474 maxSubscribers u32
475 maxFragmentsPendingReassembly u32
476 addressPoolHighThreshold u32
477 addressPoolLowThreshold u32
478 addressPortMappingHighThreshold u32
479 addressPortMappingLowThreshold u32
480 addressPortMappingPerUserHighThreshold u32
481 globalAddressMappingHighThreshold u32
482 vpnIdentifier bytes
483 bgpCommunity u32
484 bgpSourceCommunityList basicList
485 bgpDestinationCommunityList basicList
486 bgpExtendedCommunity bytes
487 bgpSourceExtendedCommunityList basicList
488 bgpDestinationExtendedCommunityList basicList
489 bgpLargeCommunity bytes
490 bgpSourceLargeCommunityList basicList
491 bgpDestinationLargeCommunityList basicList
492 srhFlagsIPv6 u8
493 srhTagIPv6 u16
494 srhSegmentIPv6 ip6
495 srhActiveSegmentIPv6 ip6
496 srhSegmentIPv6BasicList basicList
497 srhSegmentIPv6ListSection bytes
498 srhSegmentsIPv6Left u8
499 srhIPv6Section bytes
500 srhIPv6ActiveSegmentType u8
501 srhSegmentIPv6LocatorLength u8
502 srhSegmentIPv6EndpointBehavior u16
503 transportChecksum u16
504 icmpHeaderPacketSection bytes
505 gtpuFlags u8
506 gtpuMsgType u8
507 gtpuTEid u32
508 gtpuSequenceNum u16
509 gtpuQFI u8
510 gtpuPduType u8
511 bgpSourceAsPathList basicList
512 bgpDestinationAsPathList basicList
513 ipv6ExtensionHeaderType u8
514 ipv6ExtensionHeaderCount u8
515 ipv6ExtensionHeadersFull u256
516 ipv6ExtensionHeaderTypeCountList subTemplateList
517 ipv6ExtensionHeadersLimit bool
518 ipv6ExtensionHeadersChainLength u32 octets
519 ipv6ExtensionHeaderChainLengthList subTemplateList
520 tcpOptionsFull u256
521 tcpSharedOptionExID16 u16
522 tcpSharedOptionExID32 u32
523 tcpSharedOptionExID16List basicList
524 tcpSharedOptionExID32List basicList
525 udpSafeOptions u256
526 udpUnsafeOptions u64
527 udpExID u16
528 udpSafeExIDList basicList
529 udpUnsafeExIDList basicList
530 pathDelayMeanDeltaMicroseconds u32 microseconds
531 pathDelayMinDeltaMicroseconds u32 microseconds
532 pathDelayMaxDeltaMicroseconds u32 microseconds
533 pathDelaySumDeltaMicroseconds u64 microseconds
`;
