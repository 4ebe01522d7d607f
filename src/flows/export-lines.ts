// what an exporter lacks -> the lines of its configuration that would change it, by vendor
//
// Sources: Cisco "Flexible NetFlow Command Reference" (cache, ip flow monitor, sampler) and "NetFlow Command Reference" (ip
// flow-export); Juniper "Flow Monitoring User Guide" (inline active flow monitoring, IPFIX flow templates); FortiOS "CLI
// Reference" (config system netflow, interface) and "New Features" 7.4.2 (multiple collectors); PAN-OS "Web Interface Help"
// (Server Profiles > NetFlow) and its XML schema; MikroTik "Traffic Flow", "NTP"; VyOS "Flow accounting" and the interface
// definitions of 1.3, 1.4 and 1.5; pmacct nfprobe; ipt_NETFLOW README; softflowd(8) and README.Debian.

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
      '! on each interface, those to the inside as well: what enters it is metered',
      'interface INTERFACE',
      ' ip flow monitor POSTERN input',
      '! a Catalyst switch exports only with a source in flow exporter, such as: source Loopback0',
    ],
    junos: [
      '# SRX before Junos 19.4 (SRX300, SRX550: 20.1): version9 in place of version-ipfix',
      'set services flow-monitoring version-ipfix template POSTERN ipv4-template',
      'set forwarding-options sampling instance POSTERN input rate 1',
      'set forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR port 4739',
      'set forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR version-ipfix template POSTERN',
      'set forwarding-options sampling instance POSTERN family inet output inline-jflow source-address SOURCE',
      '# on MX, for each FPC with such an interface (MX80: tfeb slot 0); COLLECTOR not by way of the management interface',
      'set chassis fpc 0 sampling-instance POSTERN',
      'set interfaces INTERFACE unit 0 family inet sampling input',
      'set interfaces INTERFACE unit 0 family inet sampling output',
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
      '# before FortiOS 7.4.2 (7.2: 7.2.8) without collectors: both set lines right below config system netflow',
      'config system interface',
      ' edit INTERFACE',
      '  set netflow-sampler both',
      ' next',
      'end',
    ],
    panos: [
      'set shared server-profile netflow POSTERN server POSTERN host COLLECTOR port 2055',
      '# on each interface, those to the inside as well: a flow is of one direction',
      'set network interface ethernet INTERFACE layer3 netflow-profile POSTERN',
      '# on a subinterface: ethernet ethernet1/1 layer3 units ethernet1/1.2 netflow-profile POSTERN',
    ],
    'mikrotik-routeros': [
      '# what hardware offload forwards is not seen',
      '/ip traffic-flow set enabled=yes interfaces=all',
      '/ip traffic-flow target add dst-address=COLLECTOR port=2055 version=9',
    ],
    vyos: [
      '# before VyOS 1.5: system flow-accounting interface INTERFACE, and disable-imt to save its CPU',
      'set system flow-accounting netflow interface INTERFACE',
      'set system flow-accounting enable-egress',
      'set system flow-accounting netflow version 9',
      'set system flow-accounting netflow server COLLECTOR port 2055',
    ],
    softflowd: [
      '# each further one on a host needs -p and -c of its own',
      'softflowd -i INTERFACE -v 9 -n COLLECTOR:2055',
    ],
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
    fortios: ['config system interface', ' edit INTERFACE', '  set netflow-sampler both', ' next', 'end'],
    panos: [
      '# on the interfaces to the inside as well: a flow is of one direction',
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
      '! taken off first: a monitor in use gets no other sampler',
      'interface INTERFACE',
      ' no ip flow monitor POSTERN sampler POSTERN input',
      'sampler POSTERN',
      ' mode random 1 out-of 100',
      'flow exporter POSTERN',
      ' option sampler-table',
      'interface INTERFACE',
      ' ip flow monitor POSTERN sampler POSTERN input',
    ],
    junos: ['set forwarding-options sampling instance POSTERN input rate 100'],
    fortios: [
      '# FortiOS 7.6; before, NetFlow is not sampled: a sampled export comes from a device in between',
      'config system interface',
      ' edit INTERFACE',
      '  set netflow-sample-rate 1',
      ' next',
      'end',
    ],
    panos: ['# PAN-OS does not sample: a sampled export comes from a device in between'],
    'mikrotik-routeros': ['# RouterOS 7', '/ip traffic-flow set packet-sampling=no'],
    vyos: ['delete system flow-accounting netflow sampling-rate'],
    softflowd: ['# without -s', 'softflowd -i INTERFACE -v 9 -n COLLECTOR:2055'],
  },
  'long-active-timeout': {
    'cisco-ios': [
      '! some Catalyst switches refuse it while the monitor is on an interface',
      'flow monitor POSTERN',
      ' cache timeout active 60',
      '! where ip flow-export is set instead: ip flow-cache timeout active 1',
    ],
    junos: ['set services flow-monitoring version-ipfix template POSTERN flow-active-timeout 60'],
    fortios: [
      '# in seconds; before FortiOS 7.0 in minutes: 1',
      'config system netflow',
      ' set active-flow-timeout 60',
      'end',
    ],
    panos: ['# in minutes', 'set shared server-profile netflow POSTERN active-timeout 1'],
    'mikrotik-routeros': ['/ip traffic-flow set active-flow-timeout=1m'],
    vyos: [
      '# before VyOS 1.5: system flow-accounting netflow timeout max-active-life 60',
      'set system flow-accounting netflow active-timeout 60',
    ],
    softflowd: ['softflowd -t maxlife=60 -i INTERFACE -v 9 -n COLLECTOR:2055'],
  },
  'late-templates': {
    'cisco-ios': [
      'flow exporter POSTERN',
      ' template data timeout 60',
      '! where ip flow-export is set instead: ip flow-export template timeout-rate 1',
    ],
    junos: [
      'set services flow-monitoring version-ipfix template POSTERN template-refresh-rate seconds 60',
      'set services flow-monitoring version-ipfix template POSTERN option-refresh-rate seconds 60',
    ],
    fortios: [
      '# in seconds; before FortiOS 7.0 in minutes: 1',
      'config system netflow',
      ' set template-tx-timeout 60',
      'end',
    ],
    panos: ['set shared server-profile netflow POSTERN template-refresh-rate minutes 1'],
    'mikrotik-routeros': ['/ip traffic-flow target set [find] v9-template-timeout=1m'],
    vyos: ['# VyOS sends templates every 20 datagrams, before 1.5 every 18; look for loss on the way'],
    softflowd: ['# softflowd sends templates every 16 datagrams; look for loss on the way'],
  },
  'wrong-clock': {
    'cisco-ios': ['ntp server TIMESERVER'],
    junos: ['set system ntp server TIMESERVER'],
    fortios: ['config system ntp', ' set ntpsync enable', 'end'],
    panos: ['set deviceconfig system ntp-servers primary-ntp-server ntp-server-address TIMESERVER'],
    'mikrotik-routeros': [
      '# RouterOS 6: primary-ntp in place of servers',
      '/system ntp client set enabled=yes servers=TIMESERVER',
    ],
    vyos: ['# before VyOS 1.4: system ntp server TIMESERVER', 'set service ntp server TIMESERVER'],
    softflowd: ['timedatectl set-ntp true'],
  },
  'old-version': {
    'cisco-ios': [
      'flow exporter POSTERN',
      ' export-protocol netflow-v9',
      '! where ip flow-export is set instead: ip flow-export version 9',
    ],
    junos: [
      '# version9 needs the statement of version 5 gone, wherever it stands, and inline-jflow or a services card',
      'delete forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR version',
      'set services flow-monitoring version9 template POSTERN ipv4-template',
      'set forwarding-options sampling instance POSTERN family inet output flow-server COLLECTOR version9 template POSTERN',
      'set forwarding-options sampling instance POSTERN family inet output inline-jflow source-address SOURCE',
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
    fortios: ['config system interface', ' edit INTERFACE', '  set netflow-sampler disable', ' next', 'end'],
    panos: ['delete network interface ethernet INTERFACE layer3 netflow-profile'],
    'mikrotik-routeros': ['# the interfaces that are to go on', '/ip traffic-flow set interfaces=INTERFACE'],
    vyos: [
      '# before VyOS 1.5: delete system flow-accounting interface INTERFACE',
      'delete system flow-accounting netflow interface INTERFACE',
    ],
    softflowd: [
      '# on Debian, where a file in /etc/softflowd starts one: INTERFACE is the name of that file',
      'systemctl stop softflowd@INTERFACE',
      'mv /etc/softflowd/INTERFACE.conf /etc/softflowd/INTERFACE.off',
      'systemctl daemon-reload',
    ],
  },
};
