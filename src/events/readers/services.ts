// units of systemd that start and stop, and sockets that it opens
import { tableReader } from './reader.ts';

const SYSTEMD = /^systemd$/;
/** What is no service: sessions, and units of other types. */
const OTHER_UNIT = String.raw`(?!Session \w+ of |User |\S+\.(?:scope|slice|mount|automount|target|timer|device|path|swap)\b)`;
/** systemd.socket(5), Accept=yes: number, own address and port, the peer's. */
const PER_CONNECTION = String.raw`(?<unit>[\w.-]{1,100})@\d{1,10}-(?:\d{1,20}-)?(?<destination>[0-9A-Fa-f.:]{2,45}):(?<destinationPort>\d{1,5})-(?<source>[0-9A-Fa-f.:]{2,45}):(?<sourcePort>\d{1,5})`;

export const services = tableReader([
  {
    program: SYSTEMD,
    pattern: new RegExp(String.raw`^(?<action>Started) ${PER_CONNECTION}(?:\.service|\s|$)`),
    kind: 'connect',
  },
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
    // The line does not say whether the socket is one of the network: those that give a way in are.
    program: SYSTEMD,
    pattern:
      /^(?<action>Listening) on (?<unit>(?:ssh|sshd|dropbear|telnet|telnetd|inetd|xinetd|rsh|rlogin|rexec|vsftpd|ftp|vnc|xvnc|cockpit)[\w@:.-]{0,100}\.socket)(?: - .{0,200})?$/,
    kind: 'listen',
  },
]);
