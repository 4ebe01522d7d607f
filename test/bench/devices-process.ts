// simulated routers: one SSH server for all of 127.0.0.0/8, a router an address, with real handshakes
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { newKeyPair } from '../snapshots/play.ts';

/** As `show running-config` prints it; some 300 lines, different for each router. */
export function configurationOf(hostName: string): string {
  const lines = ['version 17.9', `hostname ${hostName}`, '!'];
  for (let i = 0; i < 40; i++)
    lines.push(
      `interface GigabitEthernet0/${i}`,
      ` description link ${i} of ${hostName}`,
      ` ip address 10.${i}.0.1 255.255.255.0`,
      i === 0 ? ' ip nat outside' : ' ip nat inside',
      '!',
    );
  lines.push('ip access-list extended OUTSIDE');
  for (let i = 0; i < 80; i++) lines.push(` permit tcp any host 198.51.100.${i} eq ${1000 + i}`);
  for (let i = 0; i < 20; i++)
    lines.push(`ip nat inside source static tcp 10.1.0.${i + 2} 443 198.51.100.7 ${8400 + i}`);
  lines.push('!', 'end', '');
  return lines.join('\r\n');
}

function serve(): void {
  const { private: hostKey } = newKeyPair();
  const counts = { connections: 0, open: 0, most: 0 };
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    counts.connections++;
    counts.most = Math.max(counts.most, ++counts.open);
    client.on('close', () => counts.open--);
    client.on('error', () => {});
    client.on('authentication', (context) =>
      context.method === 'password' && context.password === 'correct-horse'
        ? context.accept()
        : context.reject(['password']),
    );
    client.on('session', (accept) => {
      const session = accept();
      session.on('pty', (yes) => yes?.());
      session.on('window-change', (yes) => yes?.());
      session.on('shell', (yes) => converse(yes(), `edge${counts.connections}`));
    });
  });
  server.listen(0, '0.0.0.0', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on('message', () => process.send?.(counts));
  process.on('disconnect', () => process.exit());
}

function converse(channel: ssh2.ServerChannel, hostName: string): void {
  const prompt = `${hostName}#`;
  let typed = '';
  channel.write(`\r\n${prompt}`);
  channel.on('data', (chunk: Buffer) => {
    for (const character of chunk.toString('latin1')) {
      if (character !== '\r' && character !== '\n') {
        typed += character;
        continue;
      }
      const command = typed.trim();
      typed = '';
      channel.write(`${command}\r\n`);
      if (/^(?:exit|quit|logout)$/.test(command)) {
        channel.exit(0);
        channel.end();
        return;
      }
      if (/^show running-config$/.test(command)) channel.write(configurationOf(hostName));
      channel.write(prompt);
    }
  });
}

if (process.send) serve();
