// what counts as internal for the orientation of flows
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversations } from '../../src/flows/batch.ts';
import { createFolder } from '../../src/flows/folder.ts';
import { type AddressSet, addressSet, NO_ADDRESSES } from '../../src/model/addresses.ts';
import type { Opening } from '../../src/model/change.ts';
import { orientationOf } from '../../src/watches/site.ts';
import { relay } from '../analytics/fixtures.ts';
import { recordColumns } from '../flows/records.ts';

const INTERNAL = addressSet('10.0.0.0/8');
const T = Date.UTC(2026, 10, 2, 12);

/** Who is internal in a flow that an exporter outside of the translation shows. */
function internalsOf(set: AddressSet): string[] {
  const folder = createFolder({ internal: set });
  const flow = (source: string, destination: string) => ({ source, destination, packets: 1, bytes: 60 });
  folder.fold(
    '192.0.2.1',
    recordColumns([flow('198.51.100.7', '203.0.113.9'), flow('198.51.100.9', '203.0.113.9')]),
    T,
  );
  return folder.drain().flatMap((batch) => [...conversations(batch)].map(({ internal }) => internal));
}

const natted = (addresses: AddressSet): Opening => ({
  ...relay,
  destinationTranslation: undefined,
  sourceTranslation: { kind: 'source', addresses },
  class: 'source-nat',
});

test('an address that hosts are translated to is internal, its neighbour is not', () => {
  assert.deepEqual(internalsOf(orientationOf(INTERNAL, [], NO_ADDRESSES)), []);
  assert.deepEqual(internalsOf(orientationOf(INTERNAL, [], addressSet('198.51.100.7'))), ['198.51.100.7']);
  assert.deepEqual(
    internalsOf(orientationOf(INTERNAL, [[natted(addressSet('198.51.100.7'))]], NO_ADDRESSES)),
    ['198.51.100.7'],
  );
});

test('a rule that translates to any address makes the internet no part of the site', () => {
  for (const any of ['0.0.0.0/0', '::/0', '198.51.0.0/15'])
    assert.deepEqual(internalsOf(orientationOf(INTERNAL, [[natted(addressSet(any))]], NO_ADDRESSES)), []);
});

test('where a relay listens stays outside, whatever is translated to it', () => {
  const set = orientationOf(INTERNAL, [[relay]], addressSet('10.20.0.1'));
  const folder = createFolder({ internal: set });
  folder.fold(
    '192.0.2.1',
    recordColumns([{ source: '10.20.0.5', destination: '10.20.0.1', destinationPort: 8443, packets: 1 }]),
    T,
  );
  assert.deepEqual(
    folder.drain().flatMap((batch) => [...conversations(batch)].map(({ external }) => external)),
    ['10.20.0.1'],
  );
});
