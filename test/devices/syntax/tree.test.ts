import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  at,
  braceStatements,
  linesUnder,
  list,
  setStatements,
  tokensOf,
  word,
  words,
  wordTree,
} from '../../../devices/syntax/tree.ts';

const CURLY = `## Last commit: never
/* kept
   apart */
security {
    zones {
        security-zone trust {
            interfaces [ ge-0/0/1.0 ge-0/0/2.0 ];
        }
    }
    inactive: policies {
        policy "web; out" {
            inactive: match any; # why
            then permit;
        }
    }
}
`;
const SET = `set security zones security-zone trust interfaces ge-0/0/1.0
set security zones security-zone trust interfaces ge-0/0/2.0
set security policies policy "web; out" match any
set security policies policy "web; out" then permit
deactivate security policies
deactivate security policies policy "web; out" match any
`;

test('braces and set lines make the same tree', () => {
  const curly = wordTree(braceStatements(CURLY));
  const { statements, others } = setStatements(SET);
  const flat = wordTree(
    statements,
    others.map(({ words: [, ...path] }) => path),
  );
  for (const tree of [curly, flat]) {
    assert.deepEqual(words(tree, 'security', 'zones', 'security-zone', 'trust', 'interfaces'), [
      'ge-0/0/1.0',
      'ge-0/0/2.0',
    ]);
    assert.equal(at(tree, 'security', 'policies')?.inactive, true);
    assert.equal(at(tree, 'security', 'policies', 'policy', 'web; out', 'match', 'any')?.inactive, true);
    assert.equal(word(tree, 'security', 'policies', 'policy', 'web; out', 'then'), 'permit');
    assert.equal(list(tree, 'security').length, 2);
  }
  assert.deepEqual(
    linesUnder(at(curly, 'security', 'policies')!).map(({ number }) => number),
    [10, 11, 12, 13],
  );
});

test('where the line ends a leaf, braces still nest', () => {
  const tree = wordTree(
    braceStatements('nat {\n  rule 10 {\n    address 192.0.2.1\n    disable\n  }\n}\n// version\n', {
      ends: 'line',
      comments: ['#', '//'],
    }),
  );
  assert.deepEqual(words(tree, 'nat', 'rule', '10'), ['address', 'disable']);
  assert.deepEqual(words(tree), ['nat']);
});

test('braces that do not match, quotes without an end and great depth are borne', () => {
  assert.deepEqual(
    braceStatements('} } a { b; "c').map(({ words: all }) => all),
    [['a'], ['a', 'b'], ['a', '"c']],
  );
  const deep = braceStatements(`${'a { '.repeat(100_000)} x; ${'} '.repeat(100_000)} y z;`);
  assert.deepEqual(deep.at(-1)?.words, ['y', 'z']);
  assert.equal(deep.length, 65);
});

test('tokens of a line', () => {
  assert.deepEqual(tokensOf(`a "b c" 'd' [ e ] \\"f`), ['a', 'b c', 'd', '[', 'e', ']', '\\"f']);
});
