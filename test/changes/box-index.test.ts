import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexBoxes } from '../../src/changes/box-index.ts';
import { ANY_TRAFFIC, intersectTraffic } from '../../src/model/traffic.ts';
import { drawn } from './cases.ts';
import { seeded } from './random.ts';

test('an index of boxes leaves none out that shares a packet, and leaves most others out', () => {
  const random = seeded(4);
  let [looked, found, shared] = [0, 0, 0];
  for (let n = 0; n < 200; n++) {
    const boxes = Array.from({ length: 12 }, () => drawn(random))
      .flat()
      .flatMap(({ entries }) => entries.map(({ match }) => match));
    const index = indexBoxes(boxes);
    for (const box of [...boxes.slice(0, 20), ANY_TRAFFIC]) {
      const near = index.near(box);
      assert.deepEqual(
        near,
        [...new Set(near)].sort((a, b) => a - b),
      );
      for (const [position, other] of boxes.entries())
        if (intersectTraffic(box, other)) {
          assert.ok(near.includes(position));
          shared++;
        }
      looked += boxes.length;
      found += near.length;
    }
  }
  assert.ok(shared > 10_000 && found < looked * 0.7, `${shared} shared, ${found} of ${looked}`);
});
