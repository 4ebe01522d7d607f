// what changes packet filters of itself or watches over ports: units of firewalls, ufw, firewalld, knockd, fail2ban
import { commandKind } from '../commands.ts';
import { type Reader, type Row, tableReader } from './reader.ts';

const SYSTEMD = /^systemd$/;
const UNITS = `(?<unit>nftables|iptables|ip6tables|firewalld|ufw|netfilter-persistent|shorewall6?|ferm|pf)`;
/** As systemd before version 249 names them: by their description. */
const DESCRIPTIONS: readonly (readonly [unit: string, description: RegExp])[] = [
  ['nftables', /^(?:nftables$|Netfilter Tables)/],
  ['firewalld', /^firewalld - dynamic firewall daemon/],
  ['ufw', /^Uncomplicated firewall/],
  ['netfilter-persistent', /^netfilter persistent configuration/],
  ['iptables', /^IPv4 firewall with iptables/],
  ['ip6tables', /^IPv6 firewall with ip6tables/],
  ['shorewall', /^Shorewall IPv4 firewall/],
];
const DESCRIBED =
  /^(?<action>Started|Stopped|Reloaded|Finished|Failed to start) (?<unit>(?:Netfilter Tables|firewalld - |Uncomplicated firewall|netfilter persistent|IPv[46] firewall with|Shorewall ).{0,100})$/;

const rows: readonly Row[] = [
  {
    program: SYSTEMD,
    pattern: new RegExp(
      String.raw`^(?<action>Started|Stopped|Reloaded|Finished|Failed to start) ${UNITS}(?:\.service\b|$)`,
    ),
    kind: 'firewall-changed',
  },
  {
    program: SYSTEMD,
    pattern: new RegExp(String.raw`^${UNITS}\.service: (?<action>Failed) with result`),
    kind: 'firewall-changed',
  },
  {
    program: /^ufw(?:-init)?$/,
    pattern: /^(?:\[\w+\] )?(?<action>Starting|Stopping|Reloading|Resetting) (?:the )?firewall/i,
    kind: 'firewall-changed',
  },
  {
    // What the command prints, where a script logs it.
    program: /^ufw$/,
    pattern:
      /^(?<action>Firewall (?:stopped and disabled|is active and enabled|reloaded|not enabled)|Rules? (?:added|inserted|updated|deleted)|Default \S{1,20} policy changed|Resetting all rules)/,
    kind: 'firewall-changed',
  },
  {
    program: /^firewalld$/,
    pattern:
      /^(?:\[?DEBUG\d\]?: )(?:[\w.]{1,60}\.)?(?<action>(?:add|remove|set|update|change|reload|completeReload|enablePanic|disablePanic|runtimeToPermanent|passthrough)\w{0,40})\(/,
    kind: 'firewall-changed',
  },
  {
    program: /^knockd$/,
    pattern: /running command: (?<command>[\s\S]*)$/,
    kind: commandKind,
  },
  {
    // The door's name stands between address and stage; a name of the address may follow it.
    program: /^knockd$/,
    pattern:
      /^(?:\[[\d -:]{1,30}\] )?(?<source>[0-9A-Fa-f.:]{2,45}?)(?: \([^)]{0,255}\))?: [^\s:]{1,100}: (?<action>Stage \d{1,4}|OPEN SESAME|command timeout|sequence timeout.{0,40})/,
    kind: 'other',
  },
  {
    // A ban is one address less, not a change of who may do what: the commands that carry it out are told by audit.
    program: /^fail2ban(?:[-.]\w{1,20})?$/,
    pattern:
      /(?:^|\s)(?:NOTICE|WARNING|INFO) {1,4}\[(?<unit>[^\]\s]{1,64})\] (?<action>Ban|Unban|Restore Ban|Found) (?<source>[0-9A-Fa-f.:]{2,45})(?:\s|$)/,
    kind: 'other',
  },
  { program: SYSTEMD, pattern: DESCRIBED, kind: 'firewall-changed' },
];

const table = tableReader(rows);

export const guards: Reader = {
  knows: table.knows,
  readerFor: (program) => {
    const read = table.readerFor(program);
    if (!SYSTEMD.test(program)) return read;
    return (message, name, line) => {
      const reading = read(message, name, line);
      const unit = reading?.unit;
      if (unit === undefined || !/\s/.test(unit)) return reading;
      return { ...reading!, unit: DESCRIPTIONS.find(([, text]) => text.test(unit))?.[0] ?? unit };
    };
  },
};
