// what was found -> reasons with weights
import type { Host, HostEvidence } from '../model/host.ts';
import type { Reason } from '../model/watch.ts';
import type { An1230Parameters } from './an1230.ts';
import type { FindingFacts } from './an1230-findings.ts';
import { fitsPattern, isTemporary, isUncommonPort } from './an1230-trigger.ts';
import { endpointText, isTunnelTool, type TunnelMode, toolName } from './tunnel-command.ts';

export const MODE_TEXT: Readonly<Record<TunnelMode, string>> = {
  'reverse-shell': 'a shell for whom it connects to',
  'bind-shell': 'a shell for whom connects to it',
  'local-forward': 'a local forward',
  'remote-forward': 'a remote forward: the far side reaches in',
  'dynamic-forward': 'a SOCKS proxy through another host',
  tun: 'a network tunnel',
  jump: 'a login through another host',
  relay: 'a relay between two ends',
  redirect: 'traffic sent on to an outside address',
  'proxy-client': 'a tunnelling program that connects to its server',
  'proxy-server': 'a proxy for others',
  pipe: 'a bare connection',
  listener: 'a bare listener',
};

/** Programs that serve strangers, or data: none of them starts tunnels. */
const SERVERS =
  /^(?:nginx|apache2?|httpd|lighttpd|caddy|php-fpm.{0,8}|php-cgi|java|tomcat.{0,4}|gunicorn|uwsgi|puma|unicorn|postgres|mysqld|mariadbd|redis-server|mongod|exim4?|vsftpd|proftpd|smbd|named|memcached|squid|w3wp)$/;
const STARTERS = /^(?:cron|crond|anacron|atd|systemd|init|supervisord)$/;

export function reasonsOf(
  facts: FindingFacts,
  host: Host,
  evidence: HostEvidence,
  p: An1230Parameters,
): Reason[] {
  return [
    ...purposeReasons(facts, p),
    ...placeReasons(facts, p),
    ...processReasons(facts, host, p),
    ...customReasons(facts, evidence, p),
  ];
}

function purposeReasons(
  { use, suspect, shells, event, isOutside }: FindingFacts,
  p: An1230Parameters,
): Reason[] {
  const w = p.Weights;
  if (suspect.kind === 'pattern')
    return [{ reason: `fits the CommandLinePattern "${suspect.pattern}"`, weight: w.pattern }];
  if (use.tool === 'sshd')
    return [
      { reason: `a client of sshd had port ${use.listens?.port} forwarded to itself`, weight: w.sshdForward },
    ];
  const reasons: Reason[] = [{ reason: `${use.tool}: ${MODE_TEXT[use.mode]}`, weight: w[use.mode] ?? 0 }];
  if (suspect.kind === 'listener' && use.mode === 'local-forward')
    reasons.push({
      reason:
        'ssh listens although its command line names no forward: a configuration file or its control socket does',
      weight: 0,
    });
  if (shells.length > 0 && suspect.kind === 'use')
    reasons.push({
      reason: `a shell started with it (process ${shells[0].pid ?? '?'}) and has no other input`,
      weight: 0,
    });
  const line = event.arguments ?? (event.command ?? '').split(/\s+/, 256);
  if (use.fedBy !== undefined && isOutside)
    reasons.push({ reason: `the output of ${use.fedBy} goes into it`, weight: w.fed });
  const pattern = p.CommandLinePattern.find((one) => fitsPattern(one, line));
  if (pattern) reasons.push({ reason: `fits the CommandLinePattern "${pattern}"`, weight: w.patternMatches });
  return reasons;
}

function placeReasons(
  { use, isOutside, placeIsUnknown, connections, destinations, clients }: FindingFacts,
  p: An1230Parameters,
): Reason[] {
  const w = p.Weights;
  const reasons: Reason[] = [];
  const peer = use.via ?? use.leadsTo;
  const where = peer ? endpointText(peer) : (connections[0]?.destinationAddress ?? '');
  if (isOutside && where !== '') reasons.push({ reason: `leads to ${where}, outside`, weight: w.outside });
  else if (placeIsUnknown) reasons.push({ reason: `where ${where} is is not known`, weight: w.placeUnknown });
  const port = peer?.port ?? connections[0]?.destinationPort;
  // What services ask of others every day is asked at usual ports.
  if (use.mode === 'pipe' && use.fedBy === undefined && !isUncommonPort(port, p))
    reasons.push({ reason: `port ${port} is usual`, weight: w.usualPort });
  if (isOutside && isUncommonPort(port, p))
    reasons.push({ reason: `outside port ${port} is uncommon (OutboundPortRange)`, weight: w.uncommonPort });
  if (connections.length > 0)
    reasons.push({
      reason: `its process connected to ${connections[0].destinationAddress} port ${connections[0].destinationPort}`,
      weight: isOutside ? w.connected : 0,
    });
  const [top] = destinations;
  if (top) {
    if (connections.length === 0)
      reasons.push({ reason: `flows went to ${top.address} port ${top.port}`, weight: w.connected });
    if (top.addressHourShare < p.RareHourShare && (top.asn === 0 || top.asnHourShare < p.RareHourShare))
      reasons.push({
        reason: `${top.address}${top.asn > 0 ? ` (AS${top.asn} ${top.name})` : ''} is new or rare for this host`,
        weight: w.rareDestination,
      });
    if (p.DestinationCategory.includes(top.category))
      reasons.push({ reason: `destination category ${top.category}`, weight: w.category });
  }
  if (clients.length > 0)
    reasons.push({
      reason: `${clients.slice(0, 3).join(', ')} connected to port ${use.listens?.port}`,
      weight: isOutside ? w.usedFromOutside : 0,
    });
  const { address } = use.listens ?? {};
  const isOpen = address === '*' || address === '0.0.0.0' || address === '::';
  if (isOpen)
    reasons.push({
      reason: 'listens on all addresses',
      weight: use.tool === 'sshd' ? 2 * w.listensToAll : w.listensToAll,
    });
  return reasons;
}

function processReasons(
  { event, parents, use, suspect }: FindingFacts,
  host: Host,
  p: An1230Parameters,
): Reason[] {
  const w = p.Weights;
  const reasons: Reason[] = [];
  const users = [
    event.effectiveUser,
    event.loginUser,
    event.effectiveUser === undefined ? event.user : undefined,
  ].filter((user) => user !== undefined);
  const unexpected = users.find(
    (user) => p.ProcessUserContext.includes(user) || (/^\d{1,3}$/.test(user) && Number(user) > 0),
  );
  const parent =
    parents.find((one) => SERVERS.test(toolName(one.executable ?? '')))?.executable ??
    (SERVERS.test(toolName(event.parentExecutable ?? '')) ? event.parentExecutable : undefined);
  if (unexpected)
    reasons.push({
      reason: `run as ${unexpected}, who has no business with it (ProcessUserContext)`,
      weight: w.unexpectedUser,
    });
  else if (event.pid !== undefined && event.loginUser === undefined)
    reasons.push({
      reason: event.tty
        ? `on terminal ${event.tty} without anybody having logged in`
        : 'nobody logged in for it',
      weight: event.tty ? 2 * w.noLogin : w.noLogin,
    });
  if (parent) reasons.push({ reason: `started by ${parent}`, weight: w.serverParent });
  const starter =
    parents.find((one) => STARTERS.test(toolName(one.executable ?? '')))?.executable ??
    (event.parentPid === 1 ? 'systemd' : undefined);
  if (starter && !parent) reasons.push({ reason: `started by ${starter}`, weight: 0 });
  if (isTemporary(event.executable))
    reasons.push({ reason: `${event.executable} runs from a temporary folder`, weight: w.temporaryProgram });
  const name = toolName(event.executable ?? event.arguments?.[0] ?? '');
  if (
    suspect.kind === 'use' &&
    name !== '' &&
    event.arguments &&
    !isTunnelTool(name) &&
    event.arguments.length > 1 &&
    /^(?:socat|chisel|gost|wstunnel|ligolo-agent|npc|earthworm)$/.test(use.tool) &&
    !/^(?:sudo|env|nohup|timeout|sh|bash|dash|setsid|ip|zsh|systemd-run)$/.test(name)
  )
    reasons.push({ reason: `takes the arguments of ${use.tool} and is called ${name}`, weight: w.otherName });
  const isOwnProgram = suspect.kind === 'connection' || suspect.kind === 'listener';
  if (
    host.isDeveloper &&
    !use.runsShell &&
    (isOwnProgram || /^(?:local|dynamic|remote)-forward$/.test(use.mode))
  )
    reasons.push({
      reason: 'a developer uses this host',
      weight: isOwnProgram ? 2 * w.developer : w.developer,
    });
  return reasons;
}

function customReasons(
  { use, isUsual, approval, nearMiss, event }: FindingFacts,
  evidence: HostEvidence,
  p: An1230Parameters,
): Reason[] {
  const reasons: Reason[] = [];
  // A shell that is called home every day is no better for it.
  if (isUsual)
    reasons.push({
      reason: `seen on ${p.UsualDays} or more days before, by the same user`,
      weight: use.runsShell ? 0 : p.Weights.usual,
    });
  if (approval) reasons.push({ reason: `approved use ${approval.id}: ${approval.reason}`, weight: -100 });
  else if (nearMiss)
    reasons.push({ reason: `further than, or after, the approved use ${nearMiss}`, weight: 0 });
  if (use.mode === 'redirect' && evidence.ticket.state === 'approved')
    reasons.push({ reason: evidence.ticket.reason, weight: p.Weights.ticketApproved });
  if (event.action === 'Failed') reasons.push({ reason: 'it failed', weight: 0 });
  return reasons;
}
