// the summary of an audit event -> its place in the Elastic Common Schema (ECS 8, "Event categorization", "User fields")
import type { AuditSummary } from './audit-summary.ts';

type Place = readonly [category: string, type: string, kind?: 'alert'];

/** Of what was done: words parted by blanks. What has no place is left out. */
const BY_ACTION: Readonly<Record<string, Place>> = {
  'opened-file': ['file', 'info'],
  'read-file': ['file', 'info'],
  'checked-metadata-of': ['file', 'info'],
  'checked-filesystem-metadata-of': ['file', 'info'],
  'changed-timestamp-of': ['file', 'info'],
  'wrote-to-file': ['file', 'change'],
  renamed: ['file', 'change'],
  'changed-file-attributes-of': ['file', 'change'],
  'changed-file-permissions-of': ['file', 'change'],
  'changed-file-ownership-of': ['file', 'change'],
  linked: ['file', 'creation'],
  symlinked: ['file', 'creation'],
  mounted: ['file', 'creation'],
  'make-device': ['file', 'creation'],
  'created-directory': ['file', 'creation'],
  deleted: ['file', 'deletion'],
  unmounted: ['file', 'deletion'],
  'loaded-kernel-module': ['driver', 'start'],
  'unloaded-kernel-module': ['driver', 'end'],
  executed: ['process', 'start'],
  'killed-pid': ['process', 'end'],
  end: ['process', 'end'],
  'changed-identity-of': ['process', 'change'],
  'adjusted-scheduling-policy-of': ['process', 'change'],
  'allocated-memory': ['process', 'info'],
  'listen-for-connections': ['network', 'start'],
  'bound-socket': ['network', 'start'],
  'accepted-connection-from': ['network', 'connection start'],
  'connected-to': ['network', 'connection start'],
  'received-from': ['network', 'connection info'],
  'sent-to': ['network', 'connection info'],
  'changed-system-time': ['host', 'change'],
  'changed-system-name': ['host', 'change'],
  'booted-system': ['host', 'start'],
  'shutdown-system': ['host', 'end'],
  'changed-to-runlevel': ['host', 'change'],
  'logged-in': ['authentication', 'start'],
  'logged-out': ['authentication', 'end'],
  'changed-login-id-to': ['authentication', 'start'],
  authenticated: ['authentication', 'info'],
  'authenticated-to-group': ['authentication', 'info'],
  'was-authorized': ['authentication', 'info'],
  error: ['authentication', 'info'],
  'acquired-credentials': ['authentication', 'info'],
  'disposed-credentials': ['authentication', 'info'],
  'refreshed-credentials': ['authentication', 'info'],
  'started-session': ['session', 'start'],
  'ended-session': ['session', 'end'],
  'changed-password': ['iam', 'user change'],
  'changed-group-password': ['iam', 'group change'],
  'modified-user-account': ['iam', 'user change'],
  'modified-group-account': ['iam', 'group change'],
  'added-user-account': ['iam', 'user creation'],
  'deleted-user-account': ['iam', 'user deletion'],
  'added-group-account-to': ['iam', 'group creation'],
  'deleted-group-account-from': ['iam', 'group deletion'],
  'locked-account': ['iam', 'user info'],
  'unlocked-account': ['iam', 'user info'],
  'ran-command': ['process', 'start'],
  'started-service': ['process', 'start'],
  'stopped-service': ['process', 'end'],
  'started-audit': ['process', 'start'],
  'shutdown-audit': ['process', 'end'],
  'rotated-audit-logs': ['process', 'change'],
  'negotiated-crypto-key': ['process', 'info'],
  'started-crypto-session': ['process', 'info'],
  'changed-audit-configuration': ['process configuration', 'change'],
  'changed-auditd-configuration': ['process configuration', 'change'],
  'changed-audit-feature': ['configuration', 'change'],
  'loaded-firewall-rule-to': ['configuration', 'change'],
  'changed-selinux-enforcement': ['configuration', 'change'],
  'changed-selinux-boolean': ['configuration', 'change'],
  'loaded-selinux-policy': ['configuration', 'access'],
  'crashed-program': ['process intrusion_detection', 'end info', 'alert'],
  'changed-promiscuous-mode-on-device': ['intrusion_detection', 'info change', 'alert'],
};
/** Where calls of one action differ. */
const BY_CALL: Readonly<Record<string, Place>> = {
  creat: ['file', 'creation'],
  truncate: ['file', 'change'],
  ftruncate: ['file', 'change'],
  fallocate: ['file', 'change'],
};
const ANY_CALL: Place = ['process', 'info'];

export interface EcsPlace {
  readonly kind?: string;
  readonly category: readonly string[];
  readonly type: readonly string[];
  readonly outcome?: string;
  readonly user: EcsUser & Readonly<Record<'effective' | 'target', EcsUser>>;
  readonly group: EcsUser;
}

interface EcsUser {
  readonly id?: string;
  readonly name?: string;
}

type Told = Pick<AuditSummary, 'type' | 'action' | 'result' | 'actor' | 'object' | 'ids'>;

/** `callAction` is what the event's call alone would mean, `call` its name; a record of a call adds the call's place to its own. */
export function placeOf(
  summary: Told,
  call: string | undefined,
  callAction: string | undefined,
): EcsPlace | undefined {
  const isCall = summary.type === 'SYSCALL';
  if (summary.action === undefined && !isCall) return undefined;
  const ofCall = call === undefined ? undefined : (BY_CALL[call] ?? BY_ACTION[callAction ?? ''] ?? ANY_CALL);
  const own = isCall ? ofCall : BY_ACTION[summary.action ?? ''];
  const added = isCall || callAction === summary.action ? undefined : ofCall;
  const words = (index: 0 | 1) => [own, added].flatMap((place) => place?.[index].split(' ') ?? []);
  return {
    kind: own?.[2],
    category: words(0),
    type: words(1),
    outcome: added && summary.result === 'fail' ? 'failure' : undefined,
    ...usersOf(summary),
  };
}

const AUTHENTICATION = /^(?:USER_(?:LOGIN|LOGOUT|AUTH|ACCT|ERR|START|END)|CRED_(?:ACQ|DISP|REFR)|GRP_AUTH)$/;
const CHANGES = /^USER_(?:MGMT|CHAUTHTOK)$/;
const GROUP_CHANGES = /^GRP_(?:MGMT|CHAUTHTOK)$/;

/** Who asked, as whom, and whom it was done to. */
function usersOf({ type, actor, object, ids }: Told): Pick<EcsPlace, 'user' | 'group'> {
  const of = (own?: EcsUser, effective: EcsUser = {}, target: EcsUser = {}, group: EcsUser = {}) => ({
    user: { ...own, effective, target },
    group,
  });
  const asked = userOf(actor.primary);
  if (AUTHENTICATION.test(type)) return of(asked, userOf(actor.secondary));
  if (type === 'LOGIN') return of(asked, userOf(object.primary));
  if (CHANGES.test(type)) return of(asked, userOf(ids.uid), userOf(actor.secondary));
  if (GROUP_CHANGES.test(type)) return of(asked, userOf(ids.uid), {}, userOf(actor.secondary));
  if (type === 'ADD_USER' || type === 'DEL_USER')
    return of(asked, userOf(actor.secondary), userOf(object.primary));
  if (type === 'ADD_GROUP' || type === 'DEL_GROUP')
    return of(asked, userOf(actor.secondary), {}, userOf(object.primary));
  return of();
}

function userOf(text: string | undefined): EcsUser {
  if (text === undefined || /^(?:|unset|4294967295|-1)$/.test(text)) return { id: 'unset' };
  return /^\d+$/.test(text) ? { id: text } : { name: text };
}
