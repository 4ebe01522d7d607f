// logged-in connection -> a shell whose screen is watched: pagers and banners are answered as they come
import type { ClientChannel } from 'ssh2';
import { found } from './clean.ts';
import { createScreen, pagerAt, type Screen } from './screen.ts';
import type { Session } from './session.ts';

/** Wide, so that no device wraps the echo of a command; high, so that few page. */
const TERMINAL = { term: 'vt100', cols: 511, rows: 1000 };
/** How much longer than settleMs a screen is watched where the prompt or the output is not quite what was expected. */
export const PATIENCE = 8;

export interface Shell {
  readonly screen: Screen;
  /** Types a line and presses Enter. */
  readonly type: (line: string) => void;
  /** Resolves when the screen is still and `isDone`; `isLikely` needs a longer stillness. */
  readonly until: (isDone: () => boolean, isLikely?: () => boolean, settleMs?: number) => Promise<void>;
  readonly isClosed: () => boolean;
  /** From now on a banner's question is a part of an output like any other. */
  readonly endBanners: () => void;
}

/** Throws PosternError command-refused, prompt-timeout, connection-lost. */
export function openShell(session: Session): Promise<Shell> {
  const { connection, bounds, fail } = session;
  const opened = new Promise<Shell>((resolve, reject) => {
    connection.client.shell(TERMINAL, (error, channel) => {
      if (!error) return resolve(watchChannel(channel, session));
      const message = `the device opens no shell (${error.message}); check the account's rights`;
      session.refused(fail('command-refused', message)).catch(reject);
    });
  });
  return session.within(
    opened,
    bounds.promptMs,
    () => fail('prompt-timeout', `no shell within ${bounds.promptMs / 1000} s after the login; try again`),
    'connection-lost',
  );
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly isLikely: () => boolean;
  readonly settleMs: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function watchChannel(channel: ClientChannel, session: Session): Shell {
  const { definition, bounds } = session;
  const screen = createScreen(definition.session.logLines);
  const decoder = new TextDecoder();
  const answer = answering(channel, screen, session);
  let waiter: Waiter | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const end = (finish: (waiter: Waiter) => void) => {
    clearTimeout(timer);
    const ended = waiter;
    waiter = undefined;
    if (ended) finish(ended);
  };
  const look = (isPatient: boolean) => {
    if (!waiter) return;
    if (waiter.isDone() || (isPatient && waiter.isLikely())) end(({ resolve }) => resolve());
    else if (!isPatient) timer = setTimeout(look, PATIENCE * bounds.settleMs, true);
  };
  const settle = () => {
    clearTimeout(timer);
    if (waiter) timer = setTimeout(look, waiter.settleMs, false);
  };
  channel.on('data', (chunk: Buffer) => {
    const error = session.count(chunk.length);
    if (error) return end(({ reject }) => reject(error));
    screen.add(decoder.decode(chunk, { stream: true }));
    answer.questions();
    settle();
  });
  channel.stderr.resume();
  channel.on('close', () => {
    closed = true;
    // The same as losing the connection, which within() names by what was going on.
    end(({ reject }) => reject(session.fail('connection-lost', 'the device closed the session; try again')));
  });
  return {
    screen,
    type: (line) => channel.write(line + (definition.session.enter ?? '\n')),
    isClosed: () => closed,
    endBanners: answer.endBanners,
    until: (isDone, isLikely = () => false, settleMs = bounds.settleMs) =>
      new Promise((resolve, reject) => {
        if (closed)
          return reject(session.fail('connection-lost', 'the device closed the session; try again'));
        waiter = { isDone, isLikely, settleMs, resolve, reject };
        settle();
      }),
  };
}

/** Answers pagers whenever one stands at the end of the screen, and each banner once until the first prompt. */
function answering(channel: ClientChannel, screen: Screen, { definition, note }: Session) {
  const { pagers, acknowledge = [] } = definition.session;
  let banners = [...acknowledge];
  return {
    questions: () => {
      const pager = pagerAt(screen, pagers);
      if (pager) {
        screen.erasePager(pager.pattern);
        channel.write(pager.answer);
      }
      const line = banners.length > 0 ? screen.lastLine() : '';
      const banner = line === '' ? undefined : banners.find(({ pattern }) => found(pattern, line));
      if (!banner) return;
      banners = banners.filter((other) => other !== banner);
      note(
        'acknowledge',
        line
          .replace(/\p{Cc}/gu, ' ')
          .trim()
          .slice(-80),
      );
      screen.erasePager(banner.pattern);
      channel.write(banner.answer);
    },
    endBanners: () => {
      banners = [];
    },
  };
}
