// who changed it, as devices keep it themselves: commit archives, histories and headers of configurations
import { type Read, type Reader, tableReader } from './reader.ts';

const ANY = /^/;
const table = tableReader([
  {
    // VyOS: /config/archive/commits
    program: ANY,
    pattern:
      /^\|(?<seconds>\d{9,11})\|(?<user>[^|]{1,100})\|(?<action>[^|]{1,60})\|(?<command>[^|]{0,4000})\|$/,
    kind: 'config-changed',
  },
  {
    // IOS XR: show configuration commit list
    program: ANY,
    pattern:
      /^\d{1,4} +\d{10} +(?<user>\S{1,100}) +\S{1,60} +(?<action>\S{1,30}) +\w{3} \w{3} +\d{1,2} \d\d:\d\d:\d\d \d{4}$/,
    kind: 'config-changed',
  },
  {
    // RouterOS: /system history print
    program: ANY,
    pattern:
      /^[UFR]{1,2} (?<command>\S[^\n]{0,300}?) {2,}(?<user>\S{1,100}) +(?:write|policy|[a-z,]{1,60}) +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
    kind: 'config-changed',
  },
  {
    program: ANY,
    pattern: /^! Last configuration change at .{10,60}? by (?<user>\S{1,100})$/,
    kind: 'config-changed',
  },
  {
    program: ANY,
    pattern: /^! Configuration last modified by (?<user>\S{1,100}) at .{10,60}$/,
    kind: 'config-changed',
  },
  {
    program: ANY,
    pattern: /^## Last commit: .{10,60}? by (?<user>\S{1,100})$/,
    kind: 'config-changed',
  },
]);

const LONGEST = 4096;

export const identity: Reader = {
  knows: (program) => program === '',
  readerFor: (program): Read => {
    const read = table.readerFor(program);
    return (message, name, line) => {
      if (message.length > LONGEST || !/^[|\dUFR!#]/.test(message)) return undefined;
      const reading = read(message, name, line);
      const seconds = reading && /^\|(\d{9,11})\|/.exec(message)?.[1];
      return seconds ? { ...reading, observedAtMs: Number(seconds) * 1000 } : reading;
    };
  },
};
