// a question on the terminal -> the answer, not shown while it is typed
import { UsageError } from '../model/command.ts';

const LONGEST = 1024;

/** Throws UsageError where there is no terminal, and when the person gives up (Ctrl-C, Ctrl-D). */
export async function askSecretly(question: string, otherWay: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new UsageError(`there is no terminal to ask for the password; ${otherWay}`);
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  try {
    return await typed(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

function typed(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (keys: string) => {
      for (const key of keys) {
        if (key === '\r' || key === '\n') return end(() => resolve(text));
        if (key === '\x03' || key === '\x04') return end(() => reject(new UsageError('stopped')));
        text = key === '\x7f' || key === '\b' ? text.slice(0, -1) : (text + key).slice(0, LONGEST);
      }
    };
    const end = (finish: () => void) => {
      stdin.off('data', onData);
      finish();
    };
    stdin.on('data', onData);
  });
}
