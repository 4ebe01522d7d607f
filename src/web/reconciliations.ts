// /v1/rule-changes/{id}/reconciliations: a decision is appended, never changed
import { createHash, randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { appendDecision, type Decision, listChanges } from '../store/postgres/rule-changes.ts';
import { ticketByNumber } from '../store/postgres/tickets.ts';
import { type Caller, callerOf, note } from './authorise.ts';
import { DecisionView, etagOf, presentDecision } from './changes.ts';
import { found, problem } from './problem.ts';
import { Id, IdParams, Note, oneOf, Strict, type Web } from './schema.ts';

const DECISIONS = [
  'approved',
  'emergency',
  'unauthorised',
  'accepted_without_ticket',
  'expected_noise',
] as const;
const DecisionBody = Strict({
  decision: oneOf(DECISIONS),
  ticket: Type.Optional(Strict({ system: Id, number: Id })),
  reason: Type.Optional({ ...Note, description: 'Needed for everything but approved' }),
});
const DecisionHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The ETag of the change as it was read' })),
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'The same key appends once, however often it is sent',
    }),
  ),
});
type Body = Static<typeof DecisionBody>;

export function reconciliationRoutes(app: Web): void {
  const { services } = app;

  app.post(
    '/v1/rule-changes/:id/reconciliations',
    {
      schema: {
        tags: ['rule changes'],
        summary: 'Decide about a change',
        params: IdParams,
        headers: DecisionHeaders,
        body: DecisionBody,
        response: { 200: DecisionView, 201: DecisionView },
      },
      config: { right: 'changes:reconcile', audit: 'rule-change.reconcile' },
    },
    async (request, reply) => {
      const { body, headers, params } = request;
      const caller = callerOf(request);
      const filter = { id: params.id, emergenciesDue: new Date(0), limit: 1 };
      const change = found((await listChanges(services.postgres, filter))[0], 'rule change');
      checkSeparation(caller, change.device_created_by);
      checkReason(body);
      if (body.ticket && !(await ticketByNumber(services.postgres, body.ticket.system, body.ticket.number)))
        throw problem(400, 'unknown-ticket', 'there is no such ticket; PUT it first', 'ticket');
      const row: Decision = {
        id: decisionId(caller, params.id, headers['idempotency-key']),
        change_id: params.id,
        decision: body.decision,
        ticket_system: body.ticket?.system ?? null,
        ticket_number: body.ticket?.number ?? null,
        reason: body.reason?.trim() ?? '',
        decided_by: caller.actor,
        decided_at: new Date(services.now()),
      };
      const done = await appendDecision(services.postgres, row, expectedCount(headers['if-match']));
      if (done.outcome === 'conflict')
        throw problem(412, 'decided-meanwhile', 'another decision was taken; read the change again');
      if (done.outcome === 'repeated' && !sameDecision(done.stored, row))
        throw problem(422, 'idempotency-key-reused', 'this Idempotency-Key stands for another decision');
      note(request, `rule-change/${params.id}`, { device: change.device, ...body });
      return reply
        .code(done.outcome === 'appended' ? 201 : 200)
        .header('etag', etagOf(done.count))
        .send(presentDecision(done.stored));
    },
  );
}

/** Whoever registered a device does not decide about its changes. Keys of the same name belong to the same person. */
function checkSeparation(caller: Caller, registeredBy: string): void {
  const registrar = registeredBy.replace(/ \([^()]*\)$/, '').toLowerCase();
  if (caller.role === 'admin' || registrar !== caller.name.toLowerCase()) return;
  throw problem(403, 'own-device', 'whoever registered the device does not decide about its changes');
}

function checkReason({ decision, ticket, reason = '' }: Body): void {
  if (decision === 'approved' && !ticket)
    throw problem(
      400,
      'no-ticket',
      'approved needs a ticket; accepted_without_ticket needs a reason',
      'ticket',
    );
  if (decision === 'accepted_without_ticket' && ticket)
    throw problem(400, 'has-ticket', 'accepted_without_ticket has none; take approved', 'ticket');
  if (decision !== 'approved' && reason.trim() === '')
    throw problem(400, 'no-reason', `${decision} needs a reason`, 'reason');
}

/** The number in the ETag. Throws 428 where there is none. */
function expectedCount(ifMatch: string | undefined): number {
  if (ifMatch === undefined)
    throw problem(428, 'no-if-match', 'send the ETag of the change as If-Match', 'if-match');
  const count = /^"(\d{1,9})"$/.exec(ifMatch.trim())?.[1];
  if (count === undefined)
    throw problem(412, 'decided-meanwhile', 'If-Match is no ETag of this change; read it again', 'if-match');
  return Number(count);
}

/** The same key of the same caller always means the same decision. */
function decisionId(caller: Caller, changeId: string, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return randomUUID();
  const hash = createHash('sha256').update(JSON.stringify([caller.id, changeId, idempotencyKey]));
  return `rec_${hash.digest('hex').slice(0, 32)}`;
}

const sameDecision = (a: Decision, b: Decision) =>
  a.decision === b.decision &&
  a.reason === b.reason &&
  a.ticket_system === b.ticket_system &&
  a.ticket_number === b.ticket_number;
