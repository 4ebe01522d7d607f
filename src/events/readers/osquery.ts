// osquery's result logs (differential, snapshot, batch) -> what a row says (osquery schema; "Logging" in its documentation)
import { commandKind } from '../commands.ts';
import { addressText, portNumber, protocolName, type Reading } from './reader.ts';
import { countOf, type Fields, isFields, secondsOf, textOf } from './values.ts';

/** Rows of one line; what is more is not read. */
const MAX_ROWS = 512;

/** The first row of a line; see osqueryRows for the others. */
export function osqueryReading(line: Fields): Reading | undefined {
  const [first] = osqueryRows(line, 1);
  return first?.reading;
}

export interface OsqueryRow {
  readonly reading: Reading;
  /** The row alone, in the form of a differential result. */
  readonly line: Fields;
}

/** One a row, at most `maxRows`; empty where it is no result of osquery. */
export function osqueryRows(line: Fields, maxRows = MAX_ROWS): OsqueryRow[] {
  const { name, hostIdentifier, unixTime } = line;
  if (typeof name !== 'string' || (hostIdentifier === undefined && unixTime === undefined)) return [];
  const rows: OsqueryRow[] = [];
  for (const [action, columns] of statedRows(line)) {
    if (rows.length >= maxRows) break;
    if (!isFields(columns)) continue;
    const reading = {
      ...readRow(columns, action),
      program: 'osqueryd',
      host: textOf(hostIdentifier),
    };
    const observedAtMs = secondsOf(columns.time) ?? secondsOf(unixTime);
    rows.push({
      reading: observedAtMs === undefined ? reading : { ...reading, observedAtMs },
      line: { name, hostIdentifier, unixTime, columns, action },
    });
  }
  return rows;
}

function* statedRows(line: Fields): Generator<readonly [action: string, columns: unknown]> {
  if (isFields(line.columns)) yield [textOf(line.action) ?? 'added', line.columns];
  for (const columns of listOf(line.snapshot)) yield ['snapshot', columns];
  const { diffResults } = line;
  if (!isFields(diffResults)) return;
  for (const action of ['added', 'removed'])
    for (const columns of listOf(diffResults[action])) yield [action, columns];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The query may have any name: its columns tell the table. */
function readRow(row: Fields, action: string): Reading {
  if ('cmdline' in row && 'path' in row) return processRow(row, action);
  if ('remote_address' in row && 'local_address' in row) return socketRow(row, action);
  if ('port' in row && 'address' in row && 'pid' in row) return listeningRow(row, action);
  if ('chain' in row && 'filter_name' in row) return ruleRow(action);
  return { kind: 'other', action };
}

/** process_events, es_process_events, bpf_process_events, processes. */
function processRow(row: Fields, action: string): Reading {
  const command = textOf(row.cmdline)?.trim() || textOf(row.path);
  // A row that goes tells of an end, or of a query's expiry.
  const kind = action === 'removed' || command === undefined ? 'other' : commandKind(command);
  return { kind, command: kind === 'other' ? undefined : command, action, ...processOf(row) };
}

function processOf(row: Fields): Partial<Reading> {
  const arguments_ = jsonWords(row.json_cmdline);
  return {
    executable: textOf(row.path),
    ...(arguments_ && { arguments: arguments_ }),
    pid: countOf(row.pid),
    parentPid: countOf(row.parent),
    parentExecutable: textOf(row.parent_path) ?? textOf(row.parent_name),
    effectiveUser: userOf(row.username) ?? userOf(row.euid) ?? userOf(row.uid),
    loginUser: userOf(row.auid),
    tty: textOf(row.tty),
  };
}

const MAX_WORDS = 128;

/** bpf_process_events states the words themselves, as JSON in a text. */
function jsonWords(value: unknown): string[] | undefined {
  if (typeof value !== 'string' || !value.startsWith('[')) return undefined;
  try {
    const words: unknown = JSON.parse(value);
    if (!Array.isArray(words) || words.length === 0) return undefined;
    return words.slice(0, MAX_WORDS).map((word) => textOf(word) ?? '');
  } catch {
    return undefined;
  }
}

/** 4294967295 and -1: nobody logged in. */
function userOf(value: unknown): string | undefined {
  const user = textOf(value);
  return user === undefined || /^(?:-1|4294967295|18446744073709551615)$/.test(user) ? undefined : user;
}

/** socket_events and bpf_socket_events name the call; process_open_sockets has a state only. */
function socketRow(row: Fields, action: string): Reading {
  const call = textOf(row.syscall) ?? textOf(row.action);
  const local = { address: addressText(textOf(row.local_address)), port: portNumber(textOf(row.local_port)) };
  const remote = {
    address: addressText(textOf(row.remote_address)),
    port: portNumber(textOf(row.remote_port)),
  };
  const told = {
    protocol: protocolOf(row.protocol),
    action: call ?? textOf(row.state) ?? action,
    ...processOf(row),
  };
  const isListening = call === 'bind' || call === 'listen' || row.state === 'LISTEN';
  const isDone =
    action !== 'removed' && !/^(?:0|failed|false)$/.test(textOf(row.success) ?? textOf(row.status) ?? '');
  if (isListening)
    return {
      kind: isDone && local.port ? 'listen' : 'other',
      ...told,
      destinationAddress: local.address,
      destinationPort: local.port,
    };
  // Who opened an established socket is not told: the lower port is the server's.
  const isIncoming = call === undefined ? serves(local.port, remote.port) : call.startsWith('accept');
  const [from, to] = isIncoming ? [remote, local] : [local, remote];
  const isConnection = remote.address !== undefined && Boolean(remote.port);
  return {
    kind: isConnection && action !== 'removed' ? 'connect' : 'other',
    ...told,
    sourceAddress: from.address,
    sourcePort: from.port || undefined,
    destinationAddress: to.address,
    destinationPort: to.port,
  };
}

const serves = (local = 0, remote = 0) => local > 0 && local < 1024 && remote >= 1024;

/** listening_ports; port 0 is a local socket. */
function listeningRow(row: Fields, action: string): Reading {
  const port = portNumber(textOf(row.port));
  return {
    kind: action !== 'removed' && port ? 'listen' : 'other',
    action,
    protocol: protocolOf(row.protocol),
    destinationAddress: addressText(textOf(row.address)),
    destinationPort: port,
    ...processOf(row),
  };
}

/** iptables: a rule that came or went; a snapshot lists what there is. */
function ruleRow(action: string): Reading {
  const isChange = action === 'added' || action === 'removed';
  return { kind: isChange ? 'firewall-changed' : 'other', action };
}

const protocolOf = (value: unknown) => (textOf(value) === '0' ? undefined : protocolName(textOf(value)));
