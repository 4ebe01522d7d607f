// what an exporter lacks -> the lines of its configuration that would change it, by vendor
//
// Sources: Cisco "Flexible NetFlow Configuration Guide", Juniper "Flow Monitoring Feature Guide", FortiOS "config system
// netflow", PAN-OS "NetFlow Monitoring", MikroTik "Traffic Flow", VyOS "Flow Accounting", softflowd(8).

export type Lack =
  | 'no-flows'
  | 'one-way'
  | 'coarse-sampling'
  | 'long-active-timeout'
  | 'late-templates'
  | 'wrong-clock'
  | 'old-version'
  | 'shown-twice';

/** As devices are registered, and softflowd for hosts. */
export const EXPORTING = [
  'cisco-ios',
  'junos',
  'fortios',
  'panos',
  'mikrotik-routeros',
  'vyos',
  'softflowd',
] as const;
export type Exporting = (typeof EXPORTING)[number];

/** COLLECTOR stands for the address of Postern, SOURCE for one of the exporter's own, INTERFACE for each interface to the outside, or each that the reason names. */
export const LINES: Readonly<Record<Lack, Readonly<Record<Exporting, readonly string[]>>>> = {
  'no-flows': {
    'cisco-ios': [
      'flow exporter POSTERN',
      ' destination COLLECTOR',
      ' transport udp 2055',
      'flow monitor POSTERN',
      ' record netflow ipv4 original-input',
      ' exporter POSTERN',
      'interface INTERFACE',
      ' ip flow monitor POSTERN input',
    ],
    junos: [
      'set services flow-monitoring version-ipfix template POSTERN ipv4-template',
      'set forwarding-options sampling instance POSTERN input rate 1',
      'set forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR port 4739',
      'set forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR version-ipfix template POSTERN',
      'set forwarding-options sampling instance POSTERN family inet output inline-jflow source-address SOURCE',
      '# on MX, for each FPC with such an interface',
      'set chassis fpc 0 sampling-instance POSTERN',
      'set interfaces INTERFACE unit 0 family inet sampling input',
    ],
    fortios: [
      'config system netflow',
      ' config collectors',
      '  edit 1',
      '   set collector-ip COLLECTOR',
      '   set collector-port 2055',
      '  next',
      ' end',
      'end',
      '# before FortiOS 7.4 without collectors: both set lines right below config system netflow',
      'config system interface',
      ' edit INTERFACE',
      '  set netflow-sampler both',
    ],
    panos: [
      'set shared server-profile netflow POSTERN server POSTERN host COLLECTOR port 2055',
      'set network interface ethernet INTERFACE layer3 netflow-profile POSTERN',
    ],
    'mikrotik-routeros': [
      '/ip traffic-flow set enabled=yes interfaces=all',
      '/ip traffic-flow target add dst-address=COLLECTOR port=2055 version=9',
    ],
    vyos: [
      'set system flow-accounting interface INTERFACE',
      'set system flow-accounting netflow version 9',
      'set system flow-accounting netflow server COLLECTOR port 2055',
    ],
    softflowd: ['softflowd -i INTERFACE -v 9 -n COLLECTOR:2055'],
  },
  'one-way': {
    'cisco-ios': [
      '! on each interface, those to the inside as well: what enters it is metered',
      'interface INTERFACE',
      ' ip flow monitor POSTERN input',
    ],
    junos: [
      'set interfaces INTERFACE unit 0 family inet sampling input',
      'set interfaces INTERFACE unit 0 family inet sampling output',
    ],
    fortios: ['config system interface', ' edit INTERFACE', '  set netflow-sampler both'],
    panos: [
      '# the profile on the interface to the inside as well: PAN-OS meters what enters an interface',
      'set network interface ethernet INTERFACE layer3 netflow-profile POSTERN',
    ],
    'mikrotik-routeros': ['/ip traffic-flow set interfaces=all'],
    vyos: ['set system flow-accounting enable-egress'],
    softflowd: [
      '# on an interface that both directions of a conversation pass',
      'softflowd -i INTERFACE -v 9 -n COLLECTOR:2055',
    ],
  },
  'coarse-sampling': {
    'cisco-ios': [
      'sampler POSTERN',
      ' mode random 1 out-of 100',
      'interface INTERFACE',
      ' ip flow monitor POSTERN sampler POSTERN input',
    ],
    junos: ['set forwarding-options sampling instance POSTERN input rate 100'],
    fortios: [
      '# FortiOS samples sFlow only; NetFlow is not sampled: a sampled export comes from a device in between',
    ],
    panos: ['# PAN-OS does not sample: a sampled export comes from a device in between'],
    'mikrotik-routeros': ['/ip traffic-flow set packet-sampling=no'],
    vyos: ['delete system flow-accounting netflow sampling-rate'],
    softflowd: ['softflowd -s 1 -i INTERFACE -v 9 -n COLLECTOR:2055'],
  },
  'long-active-timeout': {
    'cisco-ios': ['flow monitor POSTERN', ' cache timeout active 60'],
    junos: ['set services flow-monitoring version-ipfix template POSTERN flow-active-timeout 60'],
    fortios: [
      '# in seconds; before FortiOS 7.0 in minutes: 1',
      'config system netflow',
      ' set active-flow-timeout 60',
    ],
    panos: ['set shared server-profile netflow POSTERN active-timeout 1'],
    'mikrotik-routeros': ['/ip traffic-flow set active-flow-timeout=1m'],
    vyos: ['set system flow-accounting netflow timeout max-active-life 60'],
    softflowd: ['softflowd -t maxlife=60 -i INTERFACE -v 9 -n COLLECTOR:2055'],
  },
  'late-templates': {
    'cisco-ios': ['flow exporter POSTERN', ' template data timeout 60'],
    junos: ['set services flow-monitoring version-ipfix template POSTERN template-refresh-rate seconds 60'],
    fortios: [
      '# in seconds; before FortiOS 7.0 in minutes: 1',
      'config system netflow',
      ' set template-tx-timeout 60',
    ],
    panos: ['set shared server-profile netflow POSTERN template-refresh-rate minutes 1'],
    'mikrotik-routeros': ['/ip traffic-flow target set [find] v9-template-timeout=1m'],
    vyos: ['# pmacct sends templates every 20 datagrams; look for loss on the way'],
    softflowd: ['# softflowd sends templates every 16 datagrams; look for loss on the way'],
  },
  'wrong-clock': {
    'cisco-ios': ['ntp server TIMESERVER'],
    junos: ['set system ntp server TIMESERVER'],
    fortios: ['config system ntp', ' set ntpsync enable'],
    panos: ['set deviceconfig system ntp-servers primary-ntp-server ntp-server-address TIMESERVER'],
    'mikrotik-routeros': ['/system ntp client set enabled=yes servers=TIMESERVER'],
    vyos: ['set service ntp server TIMESERVER'],
    softflowd: ['timedatectl set-ntp true'],
  },
  'old-version': {
    'cisco-ios': ['flow exporter POSTERN', ' export-protocol netflow-v9'],
    junos: [
      'set services flow-monitoring version9 template POSTERN ipv4-template',
      'set forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR version9 template POSTERN',
    ],
    fortios: ['# FortiOS exports version 9; an older version comes from a device in between'],
    panos: ['# PAN-OS exports version 9; an older version comes from a device in between'],
    'mikrotik-routeros': ['/ip traffic-flow target set [find] version=9'],
    vyos: ['set system flow-accounting netflow version 9'],
    softflowd: ['softflowd -v 9 -i INTERFACE -n COLLECTOR:2055'],
  },
  'shown-twice': {
    'cisco-ios': [
      'interface INTERFACE',
      ' no ip flow monitor POSTERN input',
      ' no ip flow monitor POSTERN output',
    ],
    junos: ['delete interfaces INTERFACE unit 0 family inet sampling'],
    fortios: ['config system interface', ' edit INTERFACE', '  set netflow-sampler disable'],
    panos: ['delete network interface ethernet INTERFACE layer3 netflow-profile'],
    'mikrotik-routeros': ['# the interfaces that are to go on', '/ip traffic-flow set interfaces=INTERFACE'],
    vyos: ['delete system flow-accounting interface INTERFACE'],
    softflowd: ['# the softflowd of this interface', 'systemctl disable --now softflowd@INTERFACE'],
  },
};
