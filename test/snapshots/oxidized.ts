// a git repository as Oxidized keeps one, made by git itself
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

const AT = Date.UTC(2026, 10, 2, 3, 0, 0);

/** A commit a device and change, at the time given. */
export function repositoryAt(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-git-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const git = (args: string[], at = AT) =>
    execFileSync('git', ['-c', 'user.name=o', '-c', 'user.email=o@example.net', '-C', folder, ...args], {
      encoding: 'utf8',
      env: { ...process.env, GIT_COMMITTER_DATE: new Date(at).toISOString(), GIT_CONFIG_GLOBAL: '/dev/null' },
    });
  git(['init', '-q', '-b', 'master']);
  const commit = (file: string, text: string | undefined, at: number) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    if (text === undefined) git(['rm', '-q', file], at);
    else {
      writeFileSync(join(folder, file), text);
      git(['add', '--', file], at);
    }
    git(['commit', '-q', '-m', `update ${file}`], at);
    return git(['rev-parse', 'HEAD']).trim();
  };
  return { folder, commit, git };
}
