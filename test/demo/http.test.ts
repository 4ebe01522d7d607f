import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { receiveWebhooks } from '../../src/demo/http.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

test('only what the endpoint signed is taken', async (t) => {
  const taken: string[] = [];
  const receiver = await receiveWebhooks(
    () => SECRET,
    (body) => taken.push(body),
  );
  t.after(receiver.stop);
  const at = new Date();
  const post = async (body: string, signature: string) => {
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signature,
    };
    return (await fetch(`http://127.0.0.1:${receiver.port}`, { method: 'POST', headers, body })).status;
  };
  const signature = new Webhook(SECRET).sign('msg_1', at, '{"a":1}');
  assert.equal(await post('{"a":1}', signature), 204);
  assert.equal(await post('{"a":2}', signature), 401);
  assert.equal(await post('not JSON', 'v1,none'), 401);
  assert.deepEqual(taken, ['{"a":1}']);
});
