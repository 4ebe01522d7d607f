// the played router's running configuration, before and after the relay

/** Who configured last, and when. */
export interface LastChange {
  readonly atMs: number;
  readonly user: string;
}

export const RELAY = 'ip nat outside source static udp 203.0.113.50 443 10.20.0.250 8443';

/** As `show running-config` prints it, lines ended by "\n". */
export function routerConfig(changed: LastChange, relay?: string): string {
  const body = `!
! Last configuration change at ${headerTime(changed.atMs)} by ${changed.user}
!
version 15.9
service timestamps debug datetime msec
service timestamps log datetime msec year show-timezone
service password-encryption
!
hostname edge1
!
boot-start-marker
boot-end-marker
!
enable secret 9 $9$demo0demo0demo$demo0demo0demo0demo0demo0demo0demo0demo0de
!
aaa new-model
aaa authentication login default local
!
ip domain name example.net
ip cef
login on-success log
!
flow exporter COLLECTOR
 destination 127.0.0.1
 template data timeout 20
!
flow monitor TRAFFIC
 exporter COLLECTOR
 cache timeout active 60
 record netflow ipv4 original-input
!
username alice privilege 15 secret 9 $9$demo1demo1demo$demo1demo1demo1demo1demo1demo1demo1demo1de
username postern privilege 15 secret 9 $9$demo2demo2demo$demo2demo2demo2demo2demo2demo2demo2demo2de
!
interface GigabitEthernet0/0
 description inside
 ip address 10.20.0.1 255.255.255.0
 ip flow monitor TRAFFIC input
 ip flow monitor TRAFFIC output
 ip nat inside
!
interface GigabitEthernet0/1
 description outside
 ip address 192.0.2.2 255.255.255.252
 ip nat outside
!
ip nat inside source list 10 interface GigabitEthernet0/1 overload
${relay ? `${relay}\n` : ''}ip route 0.0.0.0 0.0.0.0 192.0.2.1
ip ssh version 2
!
logging host 127.0.0.1
access-list 10 permit 10.20.0.0 0.0.0.255
!
line con 0
line vty 0 4
 transport input ssh
!
ntp server 192.0.2.1
!
end
`;
  return `Building configuration...\n\nCurrent configuration : ${body.length} bytes\n${body}`;
}

/** "03:00:01 UTC Mon Nov 2 2026" */
function headerTime(atMs: number): string {
  const [weekday, day, month, year, time] = new Date(atMs).toUTCString().replace(',', '').split(' ');
  return `${time} UTC ${weekday} ${month} ${Number(day)} ${year}`;
}
