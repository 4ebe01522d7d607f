// macOS unified log as ndjson (log(1), `log stream --style ndjson`) -> what the line says, read as its program's own line
import { commandKind } from '../commands.ts';
import { linux } from './linux.ts';
import { macos } from './macos.ts';
import type { Reader, Reading } from './reader.ts';
import { sudo } from './sudo.ts';
import { countOf, type Fields, isoOf, textOf } from './values.ts';

const READERS: readonly Reader[] = [macos, linux, sudo];
/** Tools of a change or of a start: that they say something means that they run. */
const TOOLS = /^(?:pfctl|socketfilterfw|launchctl|tcpdump|tshark|nmap|dumpcap)$/;
const MAX_LENGTH = 8192;

/** `program` is the last part of processImagePath; lines of the kernel's filter come from "kernel". */
export function unifiedLogReading(line: Fields): Reading | undefined {
  const path = textOf(line.processImagePath) ?? textOf(line.process);
  if (path === undefined || !('eventMessage' in line)) return undefined;
  const program = path.slice(path.lastIndexOf('/') + 1).slice(0, 64);
  const message = (textOf(line.eventMessage) ?? '').slice(0, MAX_LENGTH);
  const isApplicationFirewall = textOf(line.subsystem) === 'com.apple.alf';
  const reading = readMessage(message, program, isApplicationFirewall) ?? toolReading(program, message);
  const observedAtMs = isoOf(line.timestamp);
  return {
    ...reading,
    program,
    executable: reading.executable ?? (path.startsWith('/') ? path : undefined),
    pid: reading.pid ?? countOf(line.processID),
    ...(observedAtMs !== undefined && { observedAtMs }),
  };
}

function readMessage(message: string, program: string, isApplicationFirewall: boolean): Reading | undefined {
  for (const name of isApplicationFirewall ? [program, 'ALF'] : [program]) {
    for (const reader of READERS) {
      const reading = reader.knows(name) ? reader.readerFor(name)(message, name, message) : undefined;
      if (reading) return reading;
    }
  }
  return undefined;
}

function toolReading(program: string, message: string): Reading {
  // Its words follow where a shell or an auditor logs the start: "/sbin/pfctl -e -f /etc/pf.conf".
  const command = EXECUTED.exec(message)?.groups?.command ?? (TOOLS.test(program) ? program : undefined);
  return command === undefined ? { kind: 'other' } : { kind: commandKind(command), command };
}

const EXECUTED =
  /^(?:(?:exec|execve|Executing|executed|spawned)(?::| of)? {1,3})?(?<command>(?:\/usr|\/sbin|\/bin|\/usr\/libexec\/ApplicationFirewall)?(?:\/s?bin|\/libexec\/ApplicationFirewall)?\/?(?:pfctl|socketfilterfw|launchctl|tcpdump|tshark|nmap) .{1,1000})$/;
