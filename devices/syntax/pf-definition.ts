// what OpenBSD's and FreeBSD's pf have in common: commands, volatile lines, secrets, messages of change
import type { DeviceCommand, DeviceDefinition } from '../definition.ts';

/** An account other than root needs the right to run these commands through doas or sudo without a password. */
const asRoot = '$([ "$(id -u)" = 0 ] || { command -v doas >/dev/null && echo doas -n; } || echo sudo -n)';

/** Our own last line proves that the command ended well. */
const part = (heading: string, run: string, mark: string): DeviceCommand => ({
  heading: `# pf ${heading}`,
  run: `${run} && echo '# end of ${mark}'`,
  endMarker: new RegExp(`^# end of ${mark}\\s*$`, 'm'),
});

/** pf.conf is what is meant, the loaded rules, tables and addresses are what acts. */
export const pfCommands = (rules: string): readonly DeviceCommand[] => [
  {
    heading: '# pf.conf',
    run: `${asRoot} cat /etc/pf.conf && echo '# end of pf.conf'`,
    endMarker: /^# end of pf\.conf\s*$/m,
  },
  part('status', `${asRoot} pfctl -s info 2>/dev/null | grep -Eo '^Status: [A-Za-z]+'`, 'status'),
  part('loaded', rules.replaceAll('pfctl', `${asRoot} pfctl`), 'rules'),
  part(
    'tables',
    `for t in $(${asRoot} pfctl -s Tables 2>/dev/null); do echo "table <$t> {" && ${asRoot} pfctl -t "$t" -T show 2>/dev/null && echo '}' || exit 1; done`,
    'tables',
  ),
  part('interfaces', "ifconfig -a | grep -E '^[A-Za-z]|inet|groups:|description:'", 'pf'),
];

export const pfVolatile: DeviceDefinition['volatile'] = [
  /: flags=.*$/,
  /^ {2}\[ (?:Evaluations|Inserted).*\]$/,
  /^# (?:Saved|Generated) .*$/,
];

export const pfSecrets: DeviceDefinition['secrets'] = [
  {
    pattern: /^\s*#.*\b(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|psk)\s*[=:]\s*([^\s"',;]+)/i,
    example: '# tunnel to the branch, psk: Oak-and-Ash-9',
  },
];

export const pfChangedBy: DeviceDefinition['changedBy'] = [
  // doas(1) and sudo(8) log what they run; showing rules is what a pull does.
  /\b(?:doas|sudo)(?:\[\d+\])?: .*\bpfctl\b.* -(?:[A-Za-rt-z]*[fF]|d\b|e\b|T (?:add|delete|replace|flush|load|kill))/,
  /\b(?:doas|sudo)(?:\[\d+\])?: .*\b(?:vi|vim|ed|nano|cp|mv|tee|install|sysrc|rcctl|service)\b.*\bpf(?:\.conf|_rules)?\b/,
];

export const pfGaps: readonly string[] = [
  'Rules of anchors that no text shows (load anchor, relayd, ftp-proxy) are a condition: they may let through.',
  'Tables filled from files or at run time are conditions unless the pull could list them.',
  'Names of interfaces and groups become addresses only where ifconfig is part of the text.',
  'Users, operating systems, tags, probabilities, ToS, routing domains and fragments are conditions, not ranges.',
  'State that one direction creates is not used for the other: both directions are asked, as pf does for new connections.',
  'A pass rule with a translation is met by its translated packet, whichever rule translated it.',
  'Reply-to changes the way of answers only, and is listed.',
  'Source limits, overload tables and adaptive states are not followed.',
  'Tables that the ruleset optimiser makes have names that change when their contents do.',
];
