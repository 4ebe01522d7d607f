// request + the right that its route declares -> who asks, or a refusal; and what was done -> the audit log
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { PosternError } from '../model/errors.ts';
import { findKey } from '../store/postgres/api-keys.ts';
import { addAuditEntry } from '../store/postgres/audit-log.ts';
import type { Role } from '../store/postgres/schema.ts';
import { problem } from './problem.ts';
import { mayDo, type Right } from './rights.ts';

export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** As the audit log and decisions name it. */
  readonly actor: string;
}

interface AuditNote {
  object?: string;
  detail?: Readonly<Record<string, unknown>>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** 'open' needs no key. */
    right?: Right | 'open';
    /** What the audit log calls it; every route that changes something has one. */
    audit?: string;
  }
  interface FastifyRequest {
    caller: Caller | null;
    auditNote: AuditNote | null;
  }
}

/** Who asks; only in routes that need a key. */
export const callerOf = (request: FastifyRequest): Caller => request.caller!;

/** What the audit log will say of this request besides its action; never a secret. */
export function note(request: FastifyRequest, object: string, detail: Record<string, unknown> = {}): void {
  request.auditNote = { object, detail };
}

/** Throws PosternError 'route-without-right' at the start for a route that declares too little. */
export function authorise(app: FastifyInstance): void {
  app.decorateRequest('caller', null);
  app.decorateRequest('auditNote', null);
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    for (const route of routes) checkRoute(route);
  });
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const { right } = request.routeOptions.config;
    if (right === 'open') return;
    request.caller = await identify(app, request);
    if (!right || !mayDo(request.caller.role, right))
      throw problem(
        403,
        'no-right',
        `this needs the right ${right}, which the role ${request.caller.role} has not`,
      );
  });
  app.addHook('onSend', async (request, reply) => {
    const { audit } = request.routeOptions.config;
    if (!audit || !request.caller || reply.statusCode >= 400) return;
    const { object = request.url.split('?')[0], detail = {} } = request.auditNote ?? {};
    const { postgres, now } = app.services;
    await addAuditEntry(postgres, {
      at: new Date(now()),
      actor: request.caller.actor,
      action: audit,
      object,
      detail,
    });
  });
}

function checkRoute(route: RouteOptions): void {
  const { right, audit } = route.config ?? {};
  const methods = [route.method].flat().join();
  const name = `${methods} ${route.url}`;
  if (!right) throw new PosternError('route-without-right', `${name} declares no right`, { subject: name });
  if (!/^(GET|HEAD|,)+$/.test(methods) && !audit)
    throw new PosternError('route-without-audit', `${name} changes something and declares no action`, {
      subject: name,
    });
}

async function identify(app: FastifyInstance, request: FastifyRequest): Promise<Caller> {
  const text = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const key = text && (await findKey(app.services.postgres, text));
  if (!key)
    throw problem(
      401,
      text ? 'unknown-key' : 'no-key',
      'send a valid key as "Authorization: Bearer postern_..."',
    );
  return { id: key.id, name: key.name, role: key.role, actor: `${key.name} (${key.id})` };
}
