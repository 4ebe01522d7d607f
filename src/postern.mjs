#!/usr/bin/env node
// any Node -> main.ts in the Node that the checkout brings, which runs TypeScript
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;

if (Number(process.versions.node.split('.')[0]) >= NEEDED) await import('./main.ts');
else runIn(findNode());

function findNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  } catch {
    return undefined;
  }
}

function runIn(node) {
  if (node === undefined) return refuse('it brings its own, which is missing here');
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(node, [...process.execArgv, main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse(`the one it brings does not run (${error.code})`));
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : code;
  });
}

function refuse(reason) {
  process.stderr.write(`postern: Node ${process.versions.node} is too old, and ${reason}: run npm ci\n`);
  process.exitCode = 1;
}
