import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeviceCommand, DeviceDefinition } from '../../devices/definition.ts';
import { pull } from '../../src/snapshots/pull.ts';
import { take } from '../../src/snapshots/take.ts';
import { type PlayedSession, playSession, type Session } from './session.ts';
import { failsWith, OPTIONS, targetAt } from './targets.ts';
import { shellVendor } from './vendors.ts';

/** Forty lines and an end. */
const TEXT = `${Array.from({ length: 40 }, (_, i) => `  set option ${i} "value ${i}"\n`).join('')}end\n`;
const SHOW: DeviceCommand = { run: 'show', endMarker: /^end$/m };

type Parts = Partial<DeviceDefinition['session']>;
const vendor = (session: Parts): DeviceDefinition => ({
  ...shellVendor,
  session: {
    channel: 'shell',
    prompt: /^[\w.-]+ ?[>#] ?$/,
    pagers: [{ pattern: /--More-- ?$/, answer: ' ' }],
    commands: [SHOW],
    ...session,
  },
});

async function start(context: TestContext, session: Session, suffix = ''): Promise<PlayedSession> {
  const texts = session.steps.map(({ text = '' }) => text);
  const recorded = { name: 'played', folder: '', session, texts };
  const playing = await playSession(recorded, { loginSuffix: suffix });
  context.after(playing.stop);
  return playing;
}

async function pulledFrom(context: TestContext, session: Session, parts: Parts = {}) {
  const playing = await start(context, session, parts.loginSuffix);
  const result = await pull(targetAt(playing.port), vendor(parts), OPTIONS);
  assert.deepEqual(playing.unexpected, []);
  return { ...result, playing };
}

describe('odd terminals', { concurrency: 4 }, () => {
  const shown = (more: object = {}): Session => ({
    prompt: 'fw1 # ',
    steps: [{ on: 'show', text: TEXT, ...more }],
  });

  for (const [name, session, parts] of [
    ['a device that doubles its carriage returns', { ...shown(), eol: '\r\r\n' }, {}],
    [
      'a VDOM in the prompt',
      { ...shown(), prompt: 'fw1 (root) # ' },
      { prompt: /^[\w.-]+ (?:\([\w.-]+\) )?[#$] $/ },
    ],
    ['a context and a role', { ...shown(), prompt: 'fw1/ctx-a/act# ' }, { prompt: /^[\w./-]+[>#] $/ }],
    [
      'a role on a line of its own',
      { ...shown(), prompt: '\r\n{master:0}\r\nops@fw1> ' },
      { prompt: /^\w+@[\w-]+[>#%] $/, logLines: [/^\{master:\d+\}$/] },
    ],
    ['a star for unsaved changes', { ...shown(), prompt: '*fw1# ' }, { prompt: /^\*?[\w-]+# $/ }],
    [
      'a prompt in colours that is painted twice',
      {
        ...shown(),
        echo: false,
        prompt:
          '\r\x1b[K\x1b[9999B[\x1b[36madmin\x1b[m\x1b[33m@\x1b[m\x1b[35mMikroTik\x1b[m] > \r\x1b[K[admin@MikroTik] > ',
      },
      { prompt: /^\[\w+@[\w-]+\] > $/ },
    ],
    [
      'bracketed paste and a title',
      { ...shown(), prompt: '\x1b[?2004h\x1b]0;vyos@fw1: ~\x07vyos@fw1:~$ ' },
      { prompt: /^\w+@[\w-]+:~\$ $/ },
    ],
    [
      'a pager that wipes itself by backspaces',
      shown({ pager: ' --More-- ', every: 7, erase: '\b'.repeat(10) + ' '.repeat(10) + '\b'.repeat(10) }),
      {},
    ],
    [
      'a pager that wipes itself by an escape',
      shown({ pager: '\x1b[7m--More--\x1b[0m', every: 7, erase: '\r\x1b[K' }),
      {},
    ],
    [
      'a pager that stands for itself, and a new line',
      shown({ pager: '--More-- ', every: 7, erase: '\r\n' }),
      {},
    ],
    [
      'a pager that wants another key',
      shown({ pager: '--- more (q to quit) ---', every: 9, key: 'f' }),
      { pagers: [{ pattern: /--- more \(q to quit\) ---$/, answer: 'f' }] },
    ],
    ['nothing echoed', { ...shown(), echo: false }, {}],
    ['Enter as a carriage return', shown(), { enter: '\r' }],
    ['options in the login name', shown(), { loginSuffix: '+cte511w4098h' }],
  ] as readonly [string, Session, Parts][])
    test(name, async (t) => {
      assert.equal((await pulledFrom(t, session, parts)).text.trimEnd(), TEXT.trimEnd());
    });

  test('messages from aside are left out where the vendor tells them by their form', async (t) => {
    const log = { after: 12, text: '12:30:01 echo: system,error,critical login failure for user root' };
    const logLines = [/^\d\d:\d\d:\d\d echo: /];
    assert.equal((await pulledFrom(t, shown({ log }), { logLines })).text.trimEnd(), TEXT.trimEnd());
    assert.match((await pulledFrom(t, shown({ log }))).text, /login failure/);
  });

  test('blanks in front of and behind a line that follows a pager stay', async (t) => {
    const text = `one\n  two \n three \n! \nend\n`;
    const { text: pulled } = await pulledFrom(t, {
      prompt: 'fw1# ',
      steps: [{ on: 'show', text, pager: ' --More-- ', every: 1 }],
    });
    assert.equal(pulled.trimEnd(), text.trimEnd());
  });
});

describe('banners to acknowledge', { concurrency: 4 }, () => {
  const base: Session = { prompt: 'fw1 # ', steps: [{ on: 'show', text: TEXT }] };
  const accept: Parts = { acknowledge: [{ pattern: /\(Press 'a' to accept\): ?$/, answer: 'a' }] };

  test('the key is pressed once, and the step is told', async (t) => {
    const session = {
      ...base,
      greeting: '################\nauthorised use only #\n################\n',
      acknowledge: { ask: "(Press 'a' to accept):", answer: 'a' },
    };
    const { text, steps, playing } = await pulledFrom(t, session, accept);
    assert.equal(text.trimEnd(), TEXT.trimEnd());
    assert.deepEqual(playing.received.slice(0, 2), ['a', 'show']);
    assert.equal(steps.find(({ name }) => name === 'acknowledge')!.detail, "(Press 'a' to accept):");
  });

  test('a word and Enter', async (t) => {
    const acknowledge = { ask: 'Do you accept (yes/no)? ', answer: 'yes\n' };
    const parts = { acknowledge: [{ pattern: /\(yes\/no\)\? $/, answer: 'yes\n' }] };
    assert.equal((await pulledFrom(t, { ...base, acknowledge }, parts)).text.trimEnd(), TEXT.trimEnd());
  });

  test('a line of the configuration that looks like one is answered by nobody', async (t) => {
    const text = TEXT.replace('end\n', "set banner (Press 'a' to accept):\nend\n");
    const session = { ...base, steps: [{ on: 'show', text }] };
    const { text: pulled, playing } = await pulledFrom(t, session, accept);
    assert.equal(pulled.trimEnd(), text.trimEnd());
    assert.deepEqual(playing.received.slice(0, 1), ['show']);
    assert.doesNotMatch(playing.received.join('\n'), /^a$/m);
  });

  test('one that nobody knows is shown, as the step that failed', async (t) => {
    const session = { ...base, acknowledge: { ask: 'Press any key to continue', answer: 'x' } };
    const { port } = await start(t, session);
    const bounds = { ...OPTIONS.bounds, promptMs: 500 };
    await assert.rejects(
      pull(targetAt(port), vendor({}), { ...OPTIONS, bounds }),
      failsWith('prompt-timeout', /Last on the screen:\n {2}\| Press any key to continue/),
    );
  });
});

describe('commands that depend on what was shown', { concurrency: 4 }, () => {
  const commands: readonly DeviceCommand[] = [
    { run: 'show mode', endMarker: /^Security context mode: \w+/m, yields: 'nothing' },
    { run: 'show log', endMarker: /^entry/m, yields: 'history', optional: true },
    { ...SHOW, when: { command: 'show mode', lacks: /multiple/ } },
    {
      run: 'changeto system',
      endMarker: /^/,
      yields: 'nothing',
      when: { command: 'show mode', shows: /multiple/ },
    },
    {
      run: 'show contexts',
      endMarker: /^end$/m,
      when: { command: 'show mode', shows: /multiple/ },
      heading: '! the system',
    },
    {
      run: 'changeto context {name}',
      endMarker: /^/,
      yields: 'nothing',
      forEach: { command: 'show contexts', name: /^context (\S{1,40})/ },
      followedBy: [{ ...SHOW, heading: '! context {name}' }],
    },
  ];
  const parts: Parts = { prompt: /^fw1(?:\/[\w-]+)?# $/, commands };
  const mode = (word: string) => ({ on: 'show mode', text: `Security context mode: ${word}\n` });
  const refused = { on: 'show log', text: "ERROR: % Invalid input detected at '^' marker.\n" };

  test('one context', async (t) => {
    const session = { prompt: 'fw1# ', steps: [mode('single'), refused, { on: 'show', text: 'a\nend\n' }] };
    const { text, steps, history, playing } = await pulledFrom(t, session, parts);
    assert.equal(text.trimEnd(), 'a\nend');
    assert.deepEqual(playing.received, ['show mode', 'show log', 'show']);
    assert.deepEqual(history, []);
    assert.match(steps.find(({ detail }) => detail.startsWith('show log'))!.detail, /left out/);
  });

  const multiple = (contexts: string): Session => ({
    prompt: 'fw1# ',
    steps: [
      mode('multiple'),
      { on: 'show log', text: 'entry 1 by bob\n' },
      { on: 'changeto system' },
      { on: 'show contexts', text: contexts },
      { on: 'changeto context admin', prompt: 'fw1/admin# ' },
      { on: 'show', text: 'a\nend\n' },
      { on: 'changeto context dmz-1', prompt: 'fw1/dmz-1# ' },
      { on: 'show', text: 'b\nend\n' },
    ],
  });

  test('several, each under its heading, and the history beside it', async (t) => {
    const contexts = 'context admin\n  description x\ncontext dmz-1\ncontext admin\nend\n';
    const { text, history } = await pulledFrom(t, multiple(contexts), parts);
    const lines = text.split('\n').filter((line) => line !== '');
    const expected = `! the system\n${contexts}! context admin\na\nend\n! context dmz-1\nb\nend`;
    assert.deepEqual(lines, expected.split('\n'));
    assert.deepEqual(
      history.map(({ command, text: said }) => [command, said.trim()]),
      [['show log', 'entry 1 by bob']],
    );
    assert.equal(take(text, vendor(parts), () => 'h').complete, true);
  });

  test('a context whose output breaks off is no snapshot', async (t) => {
    const session = multiple('context admin\nend\n');
    const cut = session.steps.map((step) => (step.on === 'show' ? { ...step, text: 'a\n' } : step));
    const { port } = await start(t, { ...session, steps: cut });
    await assert.rejects(
      pull(targetAt(port), vendor(parts), OPTIONS),
      failsWith('truncated', /the output of `show` lacks its end/),
    );
  });

  test('a context that the device refuses is no snapshot', async (t) => {
    const session = multiple('context admin\ncontext gone\nend\n');
    const { port } = await start(t, session);
    await assert.rejects(
      pull(targetAt(port), vendor(parts), OPTIONS),
      failsWith('command-refused', /refuses `changeto context gone`/),
    );
  });

  for (const [name, contexts] of [
    ['names that hold a control character', 'context admin\u009breload\nend\n'],
    [
      'more names than are possible',
      `${Array.from({ length: 600 }, (_, i) => `context c${i}\n`).join('')}end\n`,
    ],
  ] as const)
    test(`${name} fail the pull, and are not typed`, async (t) => {
      const playing = await start(t, multiple(contexts));
      await assert.rejects(
        pull(targetAt(playing.port), vendor(parts), OPTIONS),
        failsWith('command-refused', /names? /),
      );
      assert.deepEqual(playing.received.at(-1), 'show contexts');
    });
});
