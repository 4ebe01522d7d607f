import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { command } from '../../src/packets/command.ts';
import { EXPORTER, ethernet, frameOf, ipv4, pcap, udp } from './capture-files.ts';
import {
  buildIpfix,
  buildV5,
  buildV9,
  dataSet,
  type Field,
  ipfixTemplate,
  VARIABLE,
  v9Template,
} from './generate.ts';
import { CODE, decode } from './run-decode.ts';

const folder = mkdtempSync(join(tmpdir(), 'decode-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const FIELDS: readonly Field[] = [
  [27, 16],
  [28, 16],
  [1, 8],
  [82, VARIABLE],
  [152, 8],
  [56, 6],
  [4242, 3],
  [77, 2, 9_999],
  [1, 4, 29_305],
];
const ROW = [
  '2001:db8::1',
  '2001:db8::2',
  2n ** 60n,
  'eth0',
  1_699_999_999_250,
  Uint8Array.of(0, 1, 2, 0xa, 0xb, 0xff),
  0xabcdef,
  0x1234,
  8,
];

test('raw datagrams of one exporter in the order given: every field by name, units, unknown ones in hex', () => {
  const template = file('template.dat', buildIpfix({ domain: 5 }, ipfixTemplate(256, FIELDS)));
  const data = file('data.dat', buildIpfix({ domain: 5, sequence: 3 }, dataSet(256, FIELDS, [ROW])));
  const { status, stderr, records } = decode(template, data);
  assert.equal(status, 0);
  assert.deepEqual(records, [
    {
      exporter: 'file',
      version: 10,
      domain: 5,
      template: 256,
      sequence: 3,
      kind: 'flow',
      time: '2023-11-14T22:13:20.000Z',
      start: '2023-11-14T22:13:19.250Z',
      end: '2023-11-14T22:13:19.250Z',
      sourceIPv6Address: '2001:db8::1',
      destinationIPv6Address: '2001:db8::2',
      octetDeltaCount: '1152921504606846976',
      interfaceName: 'eth0',
      flowStartMilliseconds: '2023-11-14T22:13:19.250Z',
      sourceMacAddress: '00:01:02:0a:0b:ff',
      element4242: 'abcdef',
      'enterprise9999.77': '1234',
      reverseOctetDeltaCount: 8,
      units: { octetDeltaCount: 'octets', reverseOctetDeltaCount: 'octets' },
    },
  ]);
  assert.match(stderr, /^2 files, 1 exporters, 2 datagrams, 1 flow records, 0 options records/);
  const swapped = decode(data, template);
  assert.deepEqual(swapped.records, records, 'data waits for its template');
});

const FLOW = {
  source: '10.0.0.1',
  destination: '198.18.0.1',
  sourcePort: 1,
  destinationPort: 53,
  protocol: 17,
  bytes: 60,
  packets: 1,
};

test('a capture: exporters apart, other traffic left out, --port to choose', () => {
  const plain: readonly Field[] = [
    [8, 4],
    [12, 4],
  ];
  const frame = (payload: Uint8Array, ends = EXPORTER) =>
    frameOf(ethernet(0x0800, ipv4(ends, udp(ends, payload))));
  const other = { ...EXPORTER, source: '192.0.2.2', destinationPort: 9995 };
  const capture = file(
    'all.pcap',
    pcap([
      frame(buildV9({}, v9Template(256, plain))),
      frame(buildV9({}, dataSet(256, plain, [['10.0.0.1', '198.18.0.1']])), other),
      frame(buildV9({ sequence: 1 }, dataSet(256, plain, [['10.0.0.2', '198.18.0.1']]))),
      frame(buildV5({ sampling: 100 }, [FLOW]), other),
      frame(Uint8Array.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), {
        ...EXPORTER,
        destinationPort: 53,
      }),
    ]),
  );
  const { status, records, stderr } = decode(capture);
  assert.equal(status, 0);
  assert.deepEqual(
    records.map(({ exporter, version, sourceIPv4Address, sampling }) => [
      exporter,
      version,
      sourceIPv4Address,
      sampling,
    ]),
    [
      ['192.0.2.1', 9, '10.0.0.2', undefined],
      ['192.0.2.2', 5, '10.0.0.1', 100],
    ],
  );
  assert.match(stderr, /1 data sets without their template/);
  assert.match(stderr, /1 other UDP datagrams/);
  assert.deepEqual(decode('--port', '9995', capture).records.length, 1);
});

test('what cannot be read: status 2, the other files are still decoded', () => {
  const good = file('good.dat', buildV5({}, [FLOW]));
  const text = file('notes.txt', 'these are not flows');
  const empty = file('empty.dat', '');
  for (const bad of [text, empty, join(folder, 'missing'), file('huge.dat', new Uint8Array(70_000))]) {
    const { status, stderr, records } = decode(bad, good);
    assert.equal(status, 2, bad);
    assert.equal(records.length, 1, bad);
    assert.match(stderr, /^postern decode: /, bad);
  }
});

test('malformed datagrams are counted on stderr and are no failure', () => {
  const { status, stderr, records } = decode(file('lie.dat', buildV5({ count: 30 }, [FLOW])));
  assert.deepEqual([status, records], [0, []]);
  assert.match(stderr, /1 malformed: record-count/);
});

test('a reader that goes away ends it quietly', () => {
  const flows = Array.from({ length: 30 }, () => FLOW);
  const payload = buildV5({}, flows);
  const frames = Array.from({ length: 300 }, () =>
    frameOf(ethernet(0x0800, ipv4(EXPORTER, udp(EXPORTER, payload)))),
  );
  const capture = file('many.pcap', pcap(frames));
  const shell = `"$0" --input-type=module -e "$1" -- "$2" | head -n 1 | wc -l`;
  const { stdout, stderr } = spawnSync('sh', ['-c', shell, process.execPath, CODE, capture], {
    encoding: 'utf8',
  });
  assert.equal(stdout.trim(), '1');
  assert.doesNotMatch(stderr, /Error|EPIPE/);
  assert.equal(decode(capture).records.length, 9_000);
});

test('bad use is refused with a reason', async () => {
  for (const args of [[], ['--nonsense', 'x'], ['--port', 'abc', 'x'], ['--port', '65536', 'x']])
    await assert.rejects(command.run(args), { name: 'Error', message: /./ });
  assert.match(command.help, /^Usage: postern decode/);
});
