// node-netflowv9 and we read the same values off every recorded v5 and v9 datagram that it can decode
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type NamedRecord, readNamedRecords } from '../../src/packets/fields.ts';
import { createSession } from '../../src/packets/session.ts';
import { compareWithPeer, openPeer, type PeerFlow, SENDER } from './peer.ts';

const FOLDER = new URL('../../../shared/corpora/flows/', import.meta.url);
const skip = existsSync(FOLDER) ? false : 'the recorded datagrams are not here';

interface Group {
  readonly slug: string;
  readonly files: readonly string[];
}
const groups: readonly Group[] = skip
  ? []
  : JSON.parse(readFileSync(new URL('groups.json', FOLDER), 'utf8')).filter(
      ({ slug }: Group) => !slug.includes('ipfix'),
    );

/** What it cannot: file -> why. Records and fields compared are counted below, so that nothing else is left out unseen. */
const NOT_FOR_PEER: Readonly<Record<string, string>> = {
  'netflow9_test_paloalto_81_data257_1flowset_in_large_zerofilled_packet.dat':
    'its loop never ends at a set of length 0',
  'netflow5.dat': 'it throws at bytes behind the records',
  'netflow5_test_invalid02.dat':
    'the header claims 163 records; it reads the 30 that are there, we count the datagram as malformed',
};

test('recorded v5 and v9 datagrams', { skip }, (context) => {
  const opened = openPeer();
  if (!opened) return context.skip('node-netflowv9 is not installed');
  opened.server.close();
  const total = { datagrams: 0, records: 0, fields: 0 };
  for (const { slug, files } of groups) {
    // Each group is an exporter of its own.
    const peer = openPeer();
    assert.ok(peer);
    peer.server.close();
    const session = createSession('192.0.2.1');
    for (const file of files) {
      if (NOT_FOR_PEER[file]) continue;
      const bytes = readFileSync(new URL(file, FOLDER));
      const records: NamedRecord[] = [];
      readNamedRecords(session, bytes, 1_700_000_000_000, (record) => records.push(record));
      const flows: readonly PeerFlow[] = peer.nfPktDecode(bytes, SENDER).flows;
      assert.equal(records.length, flows.length, `${slug} ${file}`);
      total.datagrams++;
      for (const [i, flow] of flows.entries()) {
        total.records++;
        total.fields += compareWithPeer(records[i], flow, `${slug} ${file} ${i}`);
      }
    }
  }
  context.diagnostic(JSON.stringify(total));
  assert.deepEqual(total, { datagrams: 26, records: 189, fields: 3_527 });
});
