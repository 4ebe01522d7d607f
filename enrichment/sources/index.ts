// every published list, networks first
import type { SourceDefinition } from '../source.ts';
import { aws } from './aws.ts';
import { azure } from './azure.ts';
import { cloudflare } from './cloudflare.ts';
import { fastly } from './fastly.ts';
import { digitalocean, linode, vultr } from './geofeeds.ts';
import { googleCloud } from './google-cloud.ts';
import { iptoasn } from './iptoasn.ts';
import { oracle } from './oracle.ts';
import { tor } from './tor.ts';

export const sources: readonly SourceDefinition[] = [
  iptoasn,
  tor,
  aws,
  googleCloud,
  azure,
  cloudflare,
  fastly,
  oracle,
  digitalocean,
  linode,
  vultr,
];
