import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PosternError } from '../src/model/errors.ts';
import { type Environment, loadSettings, settingsHelp } from '../src/settings.ts';

const refused = (environment: Environment, ...patterns: RegExp[]) => {
  assert.throws(
    () => loadSettings(environment),
    (error: unknown) => {
      assert.ok(error instanceof PosternError);
      assert.equal(error.code, 'bad-setting');
      assert.ok(!error.message.includes('\n'));
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    },
  );
};

test('an empty environment gives the defaults', () => {
  const settings = loadSettings({});
  assert.equal(settings.POSTERN_API_HOST, '127.0.0.1');
  assert.equal(settings.POSTERN_API_PORT, 8080);
  assert.equal(settings.POSTERN_NETFLOW_PORT, 2055);
  assert.equal(settings.POSTERN_IPFIX_PORT, 4739);
  assert.deepEqual(settings.POSTERN_ROLES, ['api', 'collect', 'syslog', 'work']);
  assert.equal(settings.DATABASE_URL, undefined);
});

test('values are read by their type, and an empty one is not set', () => {
  const settings = loadSettings({
    POSTERN_API_PORT: ' 9000 ',
    POSTERN_ROLES: 'api, work',
    POSTERN_DATA: '',
    HOME: '/',
  });
  assert.equal(settings.POSTERN_API_PORT, 9000);
  assert.deepEqual(settings.POSTERN_ROLES, ['api', 'work']);
  assert.equal(settings.POSTERN_DATA, undefined);
});

test('the command line goes before the environment', () => {
  const settings = loadSettings(
    { POSTERN_API_PORT: '1' },
    { POSTERN_API_PORT: '2', POSTERN_DATA: undefined },
  );
  assert.equal(settings.POSTERN_API_PORT, 2);
});

test('an unknown name is refused with the nearest one', () => {
  refused({ POSTERN_API_PRT: '1' }, /POSTERN_API_PRT is not a setting/, /POSTERN_API_PORT\?/);
  refused({ POSTERN_SOMETHING_ELSE_ENTIRELY: '1' }, /is not a setting \(/);
});

test('a bad value is refused with what is allowed', () => {
  refused({ POSTERN_API_PORT: '70000' }, /POSTERN_API_PORT=70000/, /whole number from 0 to 65535/);
  refused({ POSTERN_API_PORT: '80.5' }, /whole number/);
  refused({ POSTERN_API_PORT: '0x50' }, /whole number/);
  refused({ POSTERN_ROLES: 'api,cook' }, /one of api, collect, syslog, work/);
  refused({ POSTERN_LOG_LEVEL: 'loud' }, /one of debug, info/);
  refused({ DATABASE_URL: 'mysql://x' }, /DATABASE_URL is refused/);
});

test('a refused secret is not repeated', () => {
  assert.throws(
    () => loadSettings({ POSTERN_SECRET_KEY: 'hunter2' }),
    (error: Error) => !error.message.includes('hunter2') && error.message.includes('32 bytes'),
  );
});

test('the help names every setting with its sentence', () => {
  const help = settingsHelp();
  for (const name of Object.keys(loadSettings({}))) assert.match(help, new RegExp(`^  ${name}\\b`, 'm'));
  assert.doesNotMatch(help, /\n {6}\n/);
});
