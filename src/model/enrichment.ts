// the nouns of what is known about an external address

export const CATEGORIES = [
  'cdn',
  'vps',
  'tor-exit',
  'anonymous-hosting',
  'vpn',
  'cloud',
  'isp',
  'unknown',
] as const;
/** `vps` covers VPS and other hosting. */
export type Category = (typeof CATEGORIES)[number];

export interface Enrichment {
  /** 0: unknown. */
  readonly asn: number;
  readonly name: string;
  readonly country: string;
  readonly category: Category;
  /** Which source decided the category: 'operator', 'tor', 'provider:<name>', 'asn-table', 'none'. */
  readonly categorySource: string;
}

/** A source of enrichment and how old its data is. */
export interface SourceStatus {
  readonly name: string;
  readonly url?: string;
  readonly entries: number;
  /** When the data in use was fetched or written; undefined where there is none. */
  readonly asOfMs?: number;
  readonly lastError?: string;
  readonly lastAttemptMs?: number;
}
