// an SSH server on the loopback that keeps what it is told; what it plays is given by functions
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import ssh2, {
  type Algorithms,
  type AuthContext,
  type Connection,
  type KeyboardAuthContext,
  type ServerChannel,
} from 'ssh2';

export interface Playing {
  readonly port: number;
  /** Lines and single keys that were written, in order; "exec: ..." for exec channels; passwords too. */
  readonly received: string[];
  /** Passwords that were given for a login. */
  readonly passwords: string[];
  /** "address port" of each forward that was asked for. */
  readonly forwards: string[];
  /** Breaks all connections, without a word. */
  readonly hangUp: () => void;
  readonly stop: () => Promise<void>;
}

/** A fresh Ed25519 pair in OpenSSH form; now and then ssh2 makes one that it cannot read itself. */
export function newKeyPair(options: object = {}): { public: string; private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', options);
    const { passphrase } = options as { passphrase?: string };
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair;
  }
}

export const newHostKey = (): string => newKeyPair().private;

/** Who may log in, and how. */
export interface Door {
  readonly username: string;
  readonly password?: string;
  /** An authorized public key, OpenSSH format. */
  readonly publicKey?: string;
  /** Takes the password by keyboard-interactive only. */
  readonly keyboardInteractive?: boolean | 'asks-again';
  /** Rounds of keyboard-interactive, each a list of questions; without an answer the password is meant. */
  readonly rounds?: readonly (readonly {
    readonly ask: string;
    readonly answer?: string;
    readonly echo?: boolean;
  }[])[];
  readonly banner?: string;
  readonly algorithms?: Algorithms;
  readonly bad?: string;
  /** The loopback address that it listens on; 127.0.0.1 by default. */
  readonly listensOn?: string;
  /** Forwards TCP (RFC 4254 section 7.2), as a jump host does. */
  readonly forwards?: boolean;
}

export interface Plays {
  readonly shell?: (channel: ServerChannel, connection: Connection, received: string[]) => void;
  readonly exec?: (channel: ServerChannel, connection: Connection, command: string) => void;
}

export async function serve(
  door: Door,
  plays: Plays,
  hostKey: string | Buffer = newHostKey(),
): Promise<Playing> {
  const received: string[] = [];
  const passwords: string[] = [];
  const forwards: string[] = [];
  const connections = new Set<Connection>();
  const server = new ssh2.Server(
    { hostKeys: [hostKey], banner: door.banner, algorithms: door.algorithms },
    (connection) => {
      connections.add(connection);
      connection.on('error', () => {});
      connection.on('close', () => connections.delete(connection));
      connection.on('authentication', (context) => authenticate(door, context, passwords));
      connection.on('session', (accept) => {
        const session = accept();
        session.on('pty', (acceptPty) => acceptPty?.());
        if (plays.shell)
          session.on('shell', (acceptShell) => plays.shell!(acceptShell(), connection, received));
        session.on('exec', (acceptExec, reject, { command }) => {
          received.push(`exec: ${command}`);
          if (plays.exec) plays.exec(acceptExec(), connection, command);
          else reject?.();
        });
      });
      if (door.forwards)
        connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
          forwards.push(`${destIP} ${destPort}`);
          const socket = connect(destPort, destIP);
          socket.once('error', () => reject());
          socket.once('connect', () => {
            socket.removeAllListeners('error');
            const channel = accept();
            socket.on('error', () => channel.destroy());
            channel.on('error', () => socket.destroy());
            channel.pipe(socket).pipe(channel);
            channel.on('close', () => socket.destroy());
          });
        });
    },
  );
  server.listen(0, door.listensOn ?? '127.0.0.1');
  await once(server, 'listening');
  const hangUp = () => {
    for (const connection of connections)
      (connection as unknown as { _sock: { destroy: () => void } })._sock.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    received,
    passwords,
    forwards,
    hangUp,
    stop: async () => {
      for (const connection of connections) connection.end();
      server.close();
      hangUp();
    },
  };
}

function authenticate(door: Door, context: AuthContext, passwords: string[]): void {
  if (door.bad === 'hangs-at-login') return;
  const allowed: ('password' | 'publickey' | 'keyboard-interactive')[] = [];
  if (door.rounds !== undefined) allowed.push('keyboard-interactive');
  if (door.publicKey !== undefined) allowed.push('publickey');
  if (door.password !== undefined && door.rounds === undefined)
    allowed.push(door.keyboardInteractive ? 'keyboard-interactive' : 'password');
  const decide = (isRight: boolean) => {
    if (isRight && context.username === door.username) context.accept();
    else context.reject(allowed);
  };
  const decideOn = (password: string) => {
    passwords.push(password);
    decide(password === door.password);
  };
  if (!allowed.includes(context.method as 'password')) context.reject(allowed);
  else if (door.bad === 'hangs-up-at-login') hangUp(context);
  else if (context.method === 'password') decideOn(context.password);
  else if (context.method === 'keyboard-interactive' && door.rounds)
    askRounds(door, context, passwords, decide);
  else if (context.method === 'keyboard-interactive')
    context.prompt([{ prompt: 'Password: ', echo: false }], ([answer]) => {
      if (answer === door.password || door.keyboardInteractive !== 'asks-again') return decideOn(answer);
      passwords.push(answer);
      context.prompt([{ prompt: 'Password: ', echo: false }], ([second]) => decideOn(second));
    });
  else if (context.method === 'publickey') {
    const known = ssh2.utils.parseKey(door.publicKey!);
    if (known instanceof Error) throw known;
    const isKnown = known.getPublicSSH().equals(context.key.data);
    decide(
      isKnown &&
        (!context.signature || known.verify(context.blob!, context.signature, context.hashAlgo) === true),
    );
  }
}

/** Each round is a request of its own (RFC 4256 section 3.2); a wrong answer ends them. */
function askRounds(
  door: Door,
  context: KeyboardAuthContext,
  passwords: string[],
  decide: (isRight: boolean) => void,
): void {
  const ask = ([round, ...rest]: NonNullable<Door['rounds']>) => {
    const prompts = round.map(({ ask: prompt, echo = false }) => ({ prompt, echo }));
    context.prompt(prompts, (answers) => {
      for (const [i, { answer }] of round.entries()) if (answer === undefined) passwords.push(answers[i]);
      const isRight = round.every(({ answer }, i) => answers[i] === (answer ?? door.password));
      if (isRight && rest.length > 0) ask(rest);
      else decide(isRight);
    });
  };
  ask(door.rounds!);
}

function hangUp(context: AuthContext): void {
  const { _protocol } = context as unknown as { _protocol: { disconnect: (reason: number) => void } };
  _protocol.disconnect(14); // RFC 4253 section 11.1: no more authentication methods
}
