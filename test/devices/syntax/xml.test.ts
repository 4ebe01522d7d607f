import assert from 'node:assert/strict';
import { test } from 'node:test';
import { child, children, readXml, textAt } from '../../../devices/syntax/xml.ts';

test('elements have their lines, attributes and text', () => {
  const { root, error } = readXml(
    '<?xml version="1.0"?>\n<pf>\n <rule id="1">\n  <descr><![CDATA[a < b]]></descr>\n  <log/>\n </rule>\n <rule id="2"/>\n</pf>\n',
  );
  assert.equal(error, undefined);
  const rules = children(root, 'rule');
  assert.deepEqual(
    rules.map(({ attributes, number, endNumber }) => [attributes.id, number, endNumber]),
    [
      ['1', 3, 6],
      ['2', 7, 7],
    ],
  );
  assert.equal(textAt(rules[0], 'descr'), 'a < b');
  assert.ok(child(rules[0], 'log'));
  assert.equal(textAt(rules[0], 'log'), undefined);
});

test('a text that breaks off gives what was read and where it broke', () => {
  const { root, error } = readXml('<pf>\n <rule><a>1</a></rule>\n <ru');
  assert.equal(textAt(root, 'rule', 'a'), '1');
  assert.equal(error?.number, 3);
});

test('entities from outside, great depth and plain text are errors, not exceptions', () => {
  assert.ok(readXml('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>').error);
  assert.ok(readXml('<a>'.repeat(5_000)).error);
  assert.ok(readXml('hello').error);
  assert.equal(readXml('').root, undefined);
  const long = readXml(`<a>${'x'.repeat(300_000)}</a>`);
  assert.equal(long.root?.text.length, 300_000);
});
