// what the main thread and a collector thread say to each other

import type { LookupTables } from '../../enrichment/pack.ts';
import type { TlsMaterial } from '../events/tls.ts';
import type { AddressSet } from '../model/addresses.ts';
import type { StoredSession } from '../packets/stored.ts';
import type { AttemptBatch } from './attempt-batch.ts';
import type { ConversationBatch } from './batch.ts';
import type { FolderReport } from './folder.ts';
import type { SamplingRates } from './sampling-rates.ts';
import type { StoredSessions } from './stored-sessions.ts';
import type { StreamOptions } from './streams.ts';
import type { TranslationBatch } from './translation-batch.ts';

/** What a thread is started with. */
export interface ThreadOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly ports: readonly number[];
  readonly receiveBufferBytes: number;
  readonly flushMs: number;
  readonly maxConversations: number;
  readonly maxSessions: number;
  readonly internal: AddressSet;
  readonly tables: LookupTables | undefined;
  readonly allowed: AddressSet | undefined;
  readonly hosts: AddressSet;
  readonly sessions: StoredSessions;
  readonly rates: SamplingRates;
  /** IPFIX over TCP and TLS; undefined: UDP only. */
  readonly streams?: StreamOptions;
}

export type ToThread =
  | { readonly kind: 'internal'; readonly internal: AddressSet }
  | { readonly kind: 'tables'; readonly tables: LookupTables | undefined }
  | { readonly kind: 'allowed'; readonly allowed: AddressSet | undefined }
  | { readonly kind: 'hosts'; readonly hosts: AddressSet }
  /** For connections from now on. */
  | { readonly kind: 'material'; readonly material: TlsMaterial }
  /** Hand over what is held now, then answer with the same id. */
  | { readonly kind: 'flush'; readonly id: number }
  /** One batch was taken; another may be sent. */
  | { readonly kind: 'taken' }
  /** Close the sockets, hand over everything, end. */
  | { readonly kind: 'stop' };

export type FromThread =
  | {
      readonly kind: 'bound';
      readonly ports: readonly number[];
      /** TCP and TLS; 0 where it is off. */
      readonly streamPorts: readonly [number, number];
      /** What the kernel granted, as it counts (twice the usable size on Linux). */
      readonly receiveBufferBytes: number;
    }
  | { readonly kind: 'bind-failed'; readonly code: string; readonly port: number; readonly message: string }
  | { readonly kind: 'batch'; readonly batch: ConversationBatch }
  | { readonly kind: 'attempts'; readonly batch: AttemptBatch }
  | { readonly kind: 'translations'; readonly batch: TranslationBatch }
  /** In parts, so that the sockets are served in between. */
  | { readonly kind: 'sessions'; readonly sessions: [string, StoredSession][]; readonly isLast: boolean }
  | { readonly kind: 'report'; readonly report: FolderReport }
  | { readonly kind: 'flushed'; readonly id: number }
  | { readonly kind: 'stopped' };
