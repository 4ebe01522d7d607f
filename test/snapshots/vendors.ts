// two definitions and a configuration for these tests; the real vendors have fixtures of their own
import type { DeviceDefinition } from '../../devices/definition.ts';
import type { PlayedDevice } from './play.ts';

export const shellVendor: DeviceDefinition = {
  vendor: 'test-shell',
  title: 'A router with a shell like IOS',
  recognise: [],
  session: {
    channel: 'shell',
    prompt: /^[\w.-]+[>#]\s*$/,
    pagers: [{ pattern: /--More--\s*$/, answer: ' ' }],
    enable: { neededAt: />\s*$/, command: 'enable', passwordPrompt: /^Password:\s*$/i },
    commands: [
      { run: 'terminal width 0', endMarker: /^/ },
      { run: 'show running-config', endMarker: /^end\s*$/m },
    ],
    logout: 'exit',
  },
  volatile: [
    /^Building configuration\.\.\./,
    /^Current configuration : \d+ bytes/,
    /^! Last configuration change.*/,
  ],
  secrets: [
    {
      pattern: /^ *username \S+ (?:privilege \d+ )?(?:secret|password) (?:\d )?(.+)/,
      example: 'username a secret 5 x',
    },
    { pattern: /^snmp-server community (\S+)/, example: 'snmp-server community x RO' },
    { pattern: /\bkey (?:\d )?(\S+)$/, example: ' key 7 x' },
  ],
  changedBy: [/%SYS-5-CONFIG_I/],
  changeHeaders: [/^! Last configuration change at (?<time>.*?) by (?<user>\S+)/],
  read: () => ({ rules: [], policies: [], interfaces: [], unread: [] }),
  knownGaps: [],
};

export const execVendor: DeviceDefinition = {
  ...shellVendor,
  vendor: 'test-exec',
  session: {
    channel: 'exec',
    prompt: /[$#] $/,
    pagers: [],
    commands: [{ run: 'cat rules', endMarker: /^# end\s*$/m }],
  },
};

const blocks = Array.from(
  { length: 60 },
  (_, i) =>
    `interface GigabitEthernet0/${i}\n description uplink ${i}\n ip address 10.0.${i}.1 255.255.255.0\n!`,
);

/** As `show running-config` prints it; 250 lines. */
export const CONFIGURATION = `Building configuration...

Current configuration : 9876 bytes
!
! Last configuration change at 09:37:40 UTC Tue Aug 20 2024 by alice
!
version 15.2
hostname edge1
username alice privilege 15 secret 5 $1$abcd$efghijklmnopqrstuv
snmp-server community gr33n RO
${blocks.join('\n')}
ip nat inside source static tcp 10.0.1.9 443 198.51.100.7 8443 extendable
end
`;

export const EDGE: PlayedDevice = {
  hostName: 'edge1',
  username: 'reader',
  password: 'correct horse',
  commands: { 'terminal width 0': '', 'show running-config': CONFIGURATION },
};
