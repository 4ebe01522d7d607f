// pulling simulated routers over real SSH, ours and RANCID in the same run: devices a minute, CPU and memory
//
//   node test/bench/pulls.ts [--devices 5000] [--concurrency 50] [--rancid 200]
//
// RANCID is asked for the same one command, by its own clogin, as many at once; it is slower, so it gets fewer routers.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { PullsDone } from './pulls-process.ts';

const CLOCK_TICKS_PER_SECOND = 100;
const RANCID = '/usr/lib/rancid/bin';

/** 127.1.0.1, 127.1.0.2 ...: the loopback is a network of 16 million addresses. */
const addressOf = (index: number) => `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
const addresses = (count: number) => Array.from({ length: count }, (_, index) => addressOf(index));

/** User and system time of a process, with that of the children that it waited for. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / CLOCK_TICKS_PER_SECOND;
}

interface Figures {
  readonly name: string;
  readonly devices: number;
  readonly failed: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly note: string;
}

async function ours(port: number, devices: number, concurrency: number): Promise<Figures> {
  const child = fork(fileURLToPath(new URL('./pulls-process.ts', import.meta.url)), [
    addresses(devices).join(','),
    String(port),
    String(concurrency),
  ]);
  const [done] = (await once(child, 'message')) as [PullsDone];
  const cpu = cpuSeconds(child.pid!);
  child.send('end');
  await once(child, 'exit');
  const failed = devices - done.pulled;
  const note = `${Math.round(done.peakMiB)} MiB at most, ${done.ruleCount} rules read${
    failed > 0 ? `, failures ${JSON.stringify(done.failures)}` : ''
  }`;
  return { name: 'postern', devices, failed, seconds: done.seconds, cpuSeconds: cpu, note };
}

/** clogin is the part of RANCID that talks to a device; what its scripts do with the text afterwards is left out. */
async function rancid(port: number, devices: number, concurrency: number): Promise<Figures> {
  const home = await mkdtemp(join(tmpdir(), 'postern-rancid-'));
  const file = (name: string) => join(home, name);
  try {
    await writeFile(
      file('.cloginrc'),
      [
        'add user * reader',
        'add password * {correct-horse} {correct-horse}',
        `add method * {ssh:${port}}`,
        'add autoenable * 1',
        `add sshcmd * {${file('ssh-quiet')}}`,
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const script = (name: string, text: string) =>
      writeFile(file(name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const options = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
    await script('ssh-quiet', `exec ssh ${options} "$@"`);
    await script('collect', `exec clogin -c 'show running-config' "$1" > "${home}/$1.out" 2>&1`);
    await writeFile(file('list'), `${addresses(devices).join('\n')}\n`);
    const usage = file('usage');
    const began = performance.now();
    const child = spawn(
      'bash',
      [
        '-c',
        `TIMEFORMAT='%U %S'; { time rancid_par -q -n ${concurrency} -c '${file('collect')} {}' ${file('list')} >/dev/null 2>&1; } 2> ${usage}`,
      ],
      {
        cwd: home,
        env: { PATH: `${RANCID}:${process.env.PATH}`, HOME: home, TERM: 'vt100' },
        stdio: 'ignore',
      },
    );
    await once(child, 'exit');
    const seconds = (performance.now() - began) / 1000;
    const [user = 0, system = 0] = (await readFile(usage, 'utf8')).trim().split(' ').map(Number);
    let collected = 0;
    for (const name of await readdir(home))
      if (name.endsWith('.out') && /^end\r?$/m.test(await readFile(file(name), 'utf8'))) collected++;
    const failed = devices - collected;
    return { name: 'rancid', devices, failed, seconds, cpuSeconds: user + system, note: 'clogin alone' };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function print(figures: Figures): void {
  const { name, devices, failed, seconds, cpuSeconds: cpu, note } = figures;
  const perMinute = Math.round(((devices - failed) / seconds) * 60);
  process.stdout.write(
    `${name.padEnd(8)} ${devices} routers in ${seconds.toFixed(1)} s: ${perMinute} a minute, ${failed} failed, ` +
      `${((cpu / devices) * 1000).toFixed(1)} ms CPU each (${note})\n`,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      devices: { type: 'string', default: '5000' },
      concurrency: { type: 'string', default: '50' },
      rancid: { type: 'string', default: '200' },
    },
  });
  const simulator = fork(fileURLToPath(new URL('./devices-process.ts', import.meta.url)));
  try {
    const [{ port }] = (await once(simulator, 'message')) as [{ port: number }];
    const mine = await ours(port, Number(values.devices), Number(values.concurrency));
    print(mine);
    if (!existsSync(join(RANCID, 'clogin'))) {
      process.stdout.write('rancid   is not installed here; no ratio\n');
      return;
    }
    const theirs = await rancid(port, Number(values.rancid), Number(values.concurrency));
    print(theirs);
    const rate = ({ devices, failed, seconds }: Figures) => (devices - failed) / seconds;
    process.stdout.write(
      `ratio    ${(rate(mine) / rate(theirs)).toFixed(1)} times RANCID's routers a minute, ` +
        `${(mine.cpuSeconds / mine.devices / (theirs.cpuSeconds / theirs.devices)).toFixed(2)} of its CPU a router; ` +
        'the simulator has its share of the same cores in both\n',
    );
  } finally {
    simulator.disconnect();
    await once(simulator, 'exit');
  }
}

await main();
