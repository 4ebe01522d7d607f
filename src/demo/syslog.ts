// what happens on the played router -> its syslog lines over UDP
import { createSocket } from 'node:dgram';

export interface SyslogSender {
  /** Resolves to the line as sent. */
  readonly say: (message: string) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Facility local7, severity 5 (RFC 5424 section 6.2.1), as IOS sends it. */
const PRIORITY = 23 * 8 + 5;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function startSyslog(port: number, now: () => number): SyslogSender {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  let count = 40;
  return {
    say: async (message) => {
      const line = `<${PRIORITY}>${++count}: ${iosTime(now())}: ${message}`;
      await new Promise<void>((sent) => socket.send(line, port, '127.0.0.1', () => sent()));
      return line;
    },
    stop: () => new Promise<void>((closed) => socket.close(() => closed())),
  };
}

/** As `service timestamps log datetime msec year show-timezone` writes it: "Nov  2 2026 03:00:01.000 UTC". */
function iosTime(atMs: number): string {
  const at = new Date(atMs);
  const day = String(at.getUTCDate()).padStart(2);
  return `${MONTHS[at.getUTCMonth()]} ${day} ${at.getUTCFullYear()} ${at.toISOString().slice(11, 23)} UTC`;
}
