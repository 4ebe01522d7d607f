// a command of a network device -> whether it changes routes
import type { EventKind } from '../../model/event.ts';

/** Static routes and neighbors: IOS and NX-OS "ip route", ASA "route outside", Junos "routing-options static", their removal too. */
const ROUTES =
  /^ ?(?:no )?(?:ipv?6? route |route [\w-]{1,64} \d{1,3}\.|router (?:static|bgp|ospf|ospfv3|eigrp|isis|rip)\b|neighbor \S{1,45} (?:remote-as|shutdown|activate)\b)|^(?:set|delete|set:|delete:|activate|deactivate) \[?(?:routing-instances \S{1,64} )?(?:routing-options|protocols (?:bgp|ospf|ospf3|isis|rip))\b/;

/** Anything else is a command. */
export const routeKind = (command: string): EventKind =>
  ROUTES.test(command.slice(0, 400)) ? 'route-changed' : 'command';
