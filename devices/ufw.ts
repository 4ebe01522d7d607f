// the rule files of ufw -> rules
import type { DeviceDefinition } from './definition.ts';
import { readUfw } from './syntax/ufw-read.ts';

/** An account other than root needs the right to run cat through sudo without a password: the files are root's. */
const asRoot = '$([ "$(id -u)" = 0 ] || echo sudo -n)';
const FILES = ['before', 'before6', 'user', 'user6', 'after', 'after6'].map(
  (name) => `/etc/ufw/${name}.rules`,
);

export const ufw: DeviceDefinition = {
  vendor: 'ufw',
  title: 'ufw: /etc/ufw/*.rules, ufw.conf, /etc/default/ufw',
  recognise: [
    { pattern: /^# ufw file \S+\s*$/m, weight: 120 },
    { pattern: /^### tuple ### \S+ \S+ /m, weight: 96 },
    { pattern: /^:ufw-(?:user|before)-forward - \[0:0\]\s*$/m, weight: 60 },
  ],
  session: {
    channel: 'exec',
    prompt: /[$#] ?$/,
    pagers: [],
    commands: [
      {
        run: `for f in /etc/ufw/ufw.conf /etc/default/ufw ${FILES.join(' ')}; do echo "# ufw file $f" && ${asRoot} cat "$f" || exit 1; done && echo '# end of ufw'`,
        endMarker: /^# end of ufw\s*$/m,
      },
    ],
  },
  volatile: [/^# (?:Generated|Completed|Saved) .*$/],
  secrets: [
    {
      pattern: /^#.*?\b(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|psk)\s*[=:]\s*([^\s"\\,;]+)/i,
      example: '# forward to the vault, token=Sorrel-31',
    },
    {
      // Comments of rules are hexadecimal; what they say is nobody's to keep where it begins as a password does.
      pattern: /^### tuple ### .* comment=(?:70617373776f7264|736563726574|746f6b656e)(?:3d|3a)([0-9a-f]+)/,
      example: '### tuple ### allow tcp 8443 0.0.0.0/0 any 0.0.0.0/0 in comment=70617373776f72643d5069706974',
    },
  ],
  changedBy: [
    // Kernel and auditd: every commit of a ruleset (audit record type 1325).
    /\b(?:type=(?:NETFILTER_CFG|1325)|audit: type=1325)\b/,
    // Not what shows, which is what a pull or a person does.
    /\bsudo(?:\[\d+\])?: .*COMMAND=\S*\bufw\b(?! (?:status|show|app (?:list|info)|version))/,
    /\bsystemd\[1\]: (?:Started|Starting|Reloaded|Reloading|Stopped|Finished) ufw\.service/,
  ],
  read: readUfw,
  knownGaps: [
    'The files are what ufw loads at the next start or reload; rules that others put into the kernel are not pulled.',
    'before.init, after.init and sysctl.conf are not read.',
    'Application profiles are read where rules use them, with the ports of the time when the rule was made.',
    'INPUT and OUTPUT are listed; of them only destination NAT of own traffic is a policy.',
    'Of matches, mark, mac, time, limit, string, owner, addrtype, physdev and modules that are not known are conditions, not ranges.',
    'A conntrack of related connections and untracked packets are not followed.',
  ],
};
