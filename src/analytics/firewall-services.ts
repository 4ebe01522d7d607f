// words of service managers -> which unit is started or stopped; and what kernel modules, settings and small helpers change
import type { FirewallEffect, Operation } from './firewall-command.ts';
import type { SimpleCommand } from './simple-commands.ts';

export interface ServiceAction {
  /** Without ".service"; of launchctl its label. */
  readonly unit: string;
  readonly effect: Extract<
    FirewallEffect,
    'starts' | 'stops' | 'enables' | 'disables' | 'restarts' | 'reloads' | 'reads' | 'sets'
  >;
}

type Action = ServiceAction['effect'];

/** Units that keep a packet filter, or load it. */
const UNITS =
  /^(?:firewalld|ufw|nftables|iptables|ip6tables|netfilter-persistent|iptables-persistent|ebtables|arptables|ipset|shorewall6?|shorewall-lite|ferm|apf|csf|lfd|firewall|nft|awall|vuurmuur|com\.apple\.(?:pfctl|alf(?:\.agent)?|alf\.useragent|socketfilterfw)|pf|pflog|ipfw)$/;

export const isFirewallUnit = (unit: string): boolean => UNITS.test(unit);

const SYSTEMCTL: Readonly<Record<string, Action>> = {
  stop: 'stops',
  kill: 'stops',
  freeze: 'stops',
  disable: 'disables',
  mask: 'disables',
  start: 'starts',
  enable: 'enables',
  reenable: 'enables',
  unmask: 'enables',
  restart: 'restarts',
  'try-restart': 'restarts',
  condrestart: 'restarts',
  'reload-or-restart': 'reloads',
  'try-reload-or-restart': 'reloads',
  'force-reload': 'reloads',
  reload: 'reloads',
  status: 'reads',
  show: 'reads',
  cat: 'reads',
  'is-active': 'reads',
  'is-enabled': 'reads',
  'is-failed': 'reads',
  'list-dependencies': 'reads',
  'reset-failed': 'sets',
  revert: 'sets',
  edit: 'sets',
  'set-property': 'sets',
};
const SYSTEMCTL_VALUES =
  /^(?:-[HMtpnos]|--(?:host|machine|type|property|lines|output|signal|state|root|kill-whom|kill-who|job-mode|message|what|when))$/;

/** Of what service managers call their verbs besides systemctl's. */
const VERBS: Readonly<Record<string, Action>> = {
  ...SYSTEMCTL,
  on: 'enables',
  off: 'disables',
  add: 'enables',
  del: 'disables',
  delete: 'disables',
  remove: 'disables',
  defaults: 'enables',
  zap: 'stops',
  load: 'starts',
  bootstrap: 'starts',
  kickstart: 'starts',
  unload: 'stops',
  bootout: 'stops',
  clear: 'stops',
  panic: 'stops',
};

/** Every unit that the command acts on, whether it keeps a firewall or not. Never throws. */
export function serviceActions({
  name,
  path,
  args,
}: Pick<SimpleCommand, 'name' | 'path' | 'args'>): ServiceAction[] {
  if (name === 'systemctl') return systemctlActions(args);
  if (name === 'launchctl') return launchctlActions(args);
  const plain = args.filter((word) => !word.startsWith('-'));
  const of = (unit: string | undefined, verb: string | undefined): ServiceAction[] =>
    unit !== undefined && verb !== undefined && Object.hasOwn(VERBS, verb)
      ? [{ unit: unitName(unit), effect: VERBS[verb] }]
      : [];
  switch (name) {
    case 'service':
    case 'invoke-rc.d':
    case 'rc-service':
    case 'initctl-service':
      return of(plain[0], plain[1]);
    case 'update-rc.d':
      return of(plain[0], plain[1]);
    case 'chkconfig': {
      const flag = args.find((word) => /^--(?:add|del)$/.test(word));
      return flag ? of(plain[0], flag.slice(2)) : of(plain[0], plain[1]);
    }
    // The verb stands in front: rc-update del NAME, initctl stop NAME.
    case 'rc-update':
    case 'initctl':
    case 'sv':
      return of(plain[1], plain[0]);
    case 'systemsetup':
      return remoteLogin(args);
  }
  // systemd-sysv-install disable NAME stands among them; it is a script of /lib/systemd.
  if (name === 'systemd-sysv-install') return of(plain[1], plain[0]);
  return /(?:^|\/)(?:init|rc)\.d\/[^/]+$/.test(path) ? of(name.replace(/^[SK]\d\d(?=\w)/, ''), plain[0]) : [];
}

const unitName = (text: string): string => text.replace(/^.*\//, '').replace(/\.service$/, '');

function systemctlActions(args: readonly string[]): ServiceAction[] {
  const words = args.filter((word, i) => !word.startsWith('-') && !SYSTEMCTL_VALUES.test(args[i - 1] ?? ''));
  const [verb = '', ...units] = words;
  const isNow = args.includes('--now');
  if (!Object.hasOwn(SYSTEMCTL, verb)) return [];
  const effect = SYSTEMCTL[verb];
  return units.slice(0, 50).flatMap((unit): ServiceAction[] => {
    const one = { unit: unitName(unit), effect };
    if (!isNow || (effect !== 'disables' && effect !== 'enables')) return [one];
    return [{ ...one, effect: effect === 'disables' ? 'stops' : 'starts' }, one];
  });
}

/** launchctl(1): a label, a service target "system/com.example", or the path of its plist. */
function launchctlActions(args: readonly string[]): ServiceAction[] {
  const [verb = '', ...rest] = args;
  if (!Object.hasOwn(VERBS, verb)) return [];
  const targets = rest.filter(
    (word) => !word.startsWith('-') && !/^(?:system|(?:gui|user|login)\/\d+)$/.test(word),
  );
  return targets
    .slice(0, 10)
    .map((target) => ({ unit: target.replace(/^.*\//, '').replace(/\.plist$/, ''), effect: VERBS[verb] }));
}

/** macOS: systemsetup -setremotelogin on starts sshd. */
function remoteLogin(args: readonly string[]): ServiceAction[] {
  const at = args.findIndex((word) => /^-setremotelogin$/i.test(word));
  const value = args.slice(at + 1).find((word) => /^(?:on|off)$/i.test(word));
  if (at < 0 || value === undefined) return [];
  return [{ unit: 'com.openssh.sshd', effect: /^on$/i.test(value) ? 'starts' : 'stops' }];
}

const MODULE =
  /^(?:nf_tables|nf_conntrack\w*|nf_nat\w*|nf_reject\w*|nfnetlink\w*|nft_\w+|x_tables|xt_\w+|ip6?_tables|ip6?table_\w+|ipt_\w+|ip6t_\w+|arp_?tables?\w*|ebtables?\w*|br_netfilter)$/;

/** Taking a module of netfilter out of the kernel; putting one in changes no rule. */
export function readModules({ name, args }: SimpleCommand): readonly Operation[] {
  const isRemoval =
    name === 'rmmod' || args.some((word) => /^(?:-[a-zA-Z]*r[a-zA-Z]*|--remove\S*)$/.test(word));
  if (!isRemoval) return [];
  return args
    .filter((word) => MODULE.test(word.replace(/-/g, '_')))
    .slice(0, 50)
    .map((module) => ({ tool: 'module', effect: 'disables', object: 'module', name: module }));
}

/** Settings that decide what is forwarded, or whether filters see it. */
const SETTING =
  /^net[./](?:ipv4[./]ip_forward|ipv[46][./]conf[./][^.=/]{1,40}[./](?:forwarding|rp_filter|route_localnet)|bridge[./]bridge-nf-call-\w+|netfilter[./]\w+)$/;

export function readSysctl({ args }: SimpleCommand): readonly Operation[] {
  return args.flatMap((word, i): Operation[] => {
    const [key, value = args[i + 1] === '=' ? args[i + 2] : undefined] = word.split('=');
    if (!SETTING.test(key)) return [];
    const isBypass = key.includes('bridge-nf-call') && value === '0';
    const effect = value === undefined ? 'reads' : isBypass ? 'disables' : 'sets';
    return [{ tool: 'sysctl', effect, object: 'setting', name: key }];
  });
}

/** tc-bpf, tc-flower and their like act on packets before netfilter does. */
export function readTrafficControl({ args }: SimpleCommand): readonly Operation[] {
  const [object, verb] = args.filter((word) => !word.startsWith('-'));
  if (object !== 'filter') return [];
  const effect = /^(?:add|change|replace)$/.test(verb ?? '')
    ? 'adds'
    : /^del/.test(verb ?? '')
      ? 'removes'
      : 'reads';
  return [{ tool: 'tc', effect, object: 'rule' }];
}

const HELPERS: Readonly<Record<string, Readonly<Record<string, FirewallEffect>>>> = {
  shorewall: {
    stop: 'stops',
    clear: 'flushes',
    start: 'starts',
    restart: 'restarts',
    reload: 'reloads',
    refresh: 'reloads',
    drop: 'closes',
    allow: 'removes',
    open: 'opens',
    close: 'closes',
  },
  csf: {
    '-x': 'disables',
    '--disable': 'disables',
    '-f': 'flushes',
    '--stop': 'flushes',
    '-e': 'enables',
    '--enable': 'enables',
    '-r': 'restarts',
    '--restart': 'restarts',
    '-s': 'starts',
    '--start': 'starts',
    '-a': 'opens',
    '--add': 'opens',
    '-d': 'closes',
    '--deny': 'closes',
  },
  apf: {
    '-f': 'flushes',
    '--flush': 'flushes',
    '--stop': 'flushes',
    '-s': 'starts',
    '-r': 'restarts',
    '-a': 'opens',
    '-d': 'closes',
  },
  ferm: { '-F': 'flushes', '--flush': 'flushes' },
  'netfilter-persistent': {
    stop: 'stops',
    flush: 'flushes',
    start: 'loads-file',
    reload: 'loads-file',
    restart: 'restarts',
    'force-reload': 'loads-file',
    save: 'reads',
  },
};

/** Front ends of little more than one verb; the object is the whole ruleset. */
export function readHelpers({ name, args }: SimpleCommand): readonly Operation[] {
  const key = name
    .replace(/^shorewall6?$/, 'shorewall')
    .replace('iptables-persistent', 'netfilter-persistent');
  if (!Object.hasOwn(HELPERS, key)) return [];
  const verbs = HELPERS[key];
  const word = args.find((one) => Object.hasOwn(verbs, one));
  if (word !== undefined) return [{ tool: 'service', effect: verbs[word], object: 'ruleset', unit: name }];
  return key === 'ferm' && args.length > 0 && !args.includes('-n')
    ? [{ tool: 'service', effect: 'loads-file', object: 'ruleset', unit: name }]
    : [];
}
