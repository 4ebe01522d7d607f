// units that start and stop, and what firewalld and ufw say of themselves
import { tableReader } from './reader.ts';

const SYSTEMD = /^systemd$/;
/** What is no service: sessions, and units of other types. */
const OTHER_UNIT = String.raw`(?!Session \w+ of |User |\S+\.(?:scope|slice|mount|automount|target|timer|device|path|swap)\b)`;

export const services = tableReader([
  {
    program: SYSTEMD,
    pattern: new RegExp(
      String.raw`^(?<action>Started|Reloaded|Finished) ${OTHER_UNIT}(?<unit>.{1,200}?)(?:\.service(?: - .*)?|\.)?$`,
    ),
    kind: 'service-started',
  },
  {
    program: SYSTEMD,
    pattern: new RegExp(
      String.raw`^(?<action>Stopped) ${OTHER_UNIT}(?<unit>.{1,200}?)(?:\.service(?: - .*)?|\.)?$`,
    ),
    kind: 'service-stopped',
  },
  {
    program: SYSTEMD,
    pattern: /^(?<unit>[\w@:.\\-]{1,200})\.service: (?<action>Failed with result|Deactivated successfully)/,
    kind: 'service-stopped',
  },
  {
    program: /^firewalld$/,
    pattern:
      /^(?:\[?DEBUG\d\]?: )(?:[\w.]{1,60}\.)?(?<action>(?:add|remove|set|update|change|reload|completeReload|enablePanic|disablePanic|runtimeToPermanent|passthrough)\w{0,40})\(/,
    kind: 'firewall-changed',
  },
  {
    program: /^ufw(?:-init)?$/,
    pattern: /^(?:\[\w+\] )?(?<action>Starting|Stopping|Reloading|Resetting) (?:the )?firewall/i,
    kind: 'firewall-changed',
  },
]);
