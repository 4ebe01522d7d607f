// the words of a conversation's key, shared by those who write them (orient, fold) and by the table

export const MINUTE = 0;
export const EXPORTER = 1;
export const INTERFACE = 2;
/** From the lowest bit: 16 of the external port, 8 of the protocol, 8 of where the sampling rate comes from. */
export const PORT_PROTOCOL = 3;
export const INTERNAL_ADDRESS = 4;
export const EXTERNAL_ADDRESS = 8;
export const TRANSLATED_ADDRESS = 12;
/** In whole numbers. Records of one conversation at two rates stay apart, so that each scales right. */
export const SAMPLING_RATE = 16;
export const KEY_WORDS = 17;
