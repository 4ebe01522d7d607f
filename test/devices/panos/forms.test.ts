import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panos } from '../../../devices/panos.ts';
import { redact } from '../../../src/snapshots/redact.ts';
import { diff, fixture, read, unread } from './entries.ts';

const FORMS = ['pa-850-xml_10.2', 'pa-850-curly_10.2', 'pa-850-set_10.2'];

test('the three forms of one configuration have the same effect', () => {
  for (const one of FORMS)
    for (const other of FORMS) assert.deepEqual(diff(fixture(one), fixture(other)), [], `${one} and ${other}`);
});

test('the forms of configurations that differ do differ', () => {
  const xml = fixture('pa-850-xml_10.2');
  const edited = fixture('pa-850-set_10.2').replace('203.0.113.80/32', '203.0.113.88/32');
  const keys = diff(xml, edited).map(({ ruleKey, class: kind }) => [ruleKey, kind]);
  assert.deepEqual(keys, [['6b0c6c2e-0001-4c11-9a00-000000000002', 'egress-relay']]);
});

test('what is redacted still reads the same', () => {
  for (const name of FORMS) {
    const text = fixture(name);
    const redacted = redact(text, panos, () => 'aGFzaA');
    assert.notEqual(redacted, text);
    assert.deepEqual(diff(text, redacted), []);
    assert.deepEqual(read(redacted).unread, []);
  }
});

test('an answer of the API, a tree of one device and bare set lines are found where they stand', () => {
  const xml = fixture('pa-850-xml_10.2').replace('<?xml version="1.0"?>\n', '');
  assert.deepEqual(diff(xml, `<response status="success"><result>${xml}</result></response>`), []);
  const withPath = fixture('pa-850-set_10.2').replace(
    /^set (?!mgt-config|shared|deviceconfig|network)/gm,
    'set vsys vsys1 ',
  );
  assert.deepEqual(diff(xml, withPath), []);
  const prompts = fixture('pa-850-set_10.2').replace(/^set /gm, 'admin@pa-relay# set ');
  assert.deepEqual(diff(xml, prompts), []);
});

test('a text in quotes goes on over lines, braces and words in it are no statements', () => {
  const text = `set rulebase security rules r description "first
a set of words { and } more
last" 
set rulebase security rules r action allow`;
  assert.equal(read(text).rules[0].comment, 'first\na set of words { and } more\nlast');
  assert.deepEqual(unread(text), []);
});

test('lines that are no statement, and a tree that breaks off, are unread', () => {
  assert.deepEqual(unread('set rulebase security rules r action allow\nInvalid syntax.'), ['Invalid syntax.']);
  const [broken] = read('<config>\n<devices>\n<entry name="x">\n</devices>').unread;
  assert.equal(broken.number, 4);
});
