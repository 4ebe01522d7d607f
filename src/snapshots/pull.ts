// device definition, target -> the device's configuration text, over SSH; or an error that says what to do
import type { DeviceDefinition } from '../../devices/definition.ts';
import { PosternError } from '../model/errors.ts';
import { connect } from './connect.ts';
import { runExec } from './exec.ts';
import type { Output } from './run.ts';
import { createSession } from './session.ts';
import { runShell } from './shell.ts';
import {
  DEFAULT_BOUNDS,
  type PullBounds,
  type PullOptions,
  type PullResult,
  type PullStep,
  type PullTarget,
  type StepName,
} from './target.ts';

export type {
  Credential,
  PullBounds,
  PullOptions,
  PullResult,
  PullStep,
  PullTarget,
  SshHop,
} from './target.ts';

/**
 * Connects, logs in, runs the definition's commands and nothing else, and checks each end marker. A result is complete.
 * Throws PosternError with one of these codes; the ones of `isTransient` (retry.ts) may pass by themselves:
 * address-unknown, connect-timeout, connection-refused, unreachable, forward-refused, handshake-failed,
 * no-common-algorithms, host-key-changed, bad-private-key, login-failed, login-timeout, connection-lost, prompt-timeout, enable-failed,
 * command-refused, command-timeout, truncated, output-too-large, pull-timeout, pull-stopped.
 */
export async function pull(
  target: PullTarget,
  definition: DeviceDefinition,
  options: PullOptions,
): Promise<PullResult> {
  const bounds: PullBounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const beganAtMs = options.now();
  const steps: PullStep[] = [];
  let stepBeganAtMs = beganAtMs;
  const note = (name: StepName, detail: string, byteCount?: number) => {
    const nowMs = options.now();
    const step = { name, detail, durationMs: nowMs - stepBeganAtMs, byteCount };
    stepBeganAtMs = nowMs;
    steps.push(step);
    options.onStep?.(step);
  };
  const stop = stopping(target, bounds, options.signal);
  try {
    const connection = await connect(target, definition, bounds, stop.signal, note);
    try {
      const session = createSession({ connection, target, definition, bounds, note });
      const outputs = await (definition.session.channel === 'exec' ? runExec(session) : runShell(session));
      return {
        text: joined(outputs, definition),
        beganAtMs,
        durationMs: options.now() - beganAtMs,
        byteCount: session.byteCount(),
        hostKey: connection.hostKey,
        jumpHostKeys: connection.jumpHostKeys,
        algorithms: connection.algorithms,
        history: outputs.filter(({ yields }) => yields === 'history'),
        steps,
      };
    } finally {
      connection.close();
    }
  } finally {
    stop.clear();
  }
}

function joined(outputs: readonly Output[], definition: DeviceDefinition): string {
  return outputs
    .filter(({ text, yields }) => yields === 'configuration' && text.trim() !== '')
    .map(({ text, heading }) => {
      const laidOut = definition.layout?.(text) ?? text;
      const ended = laidOut.endsWith('\n') ? laidOut : `${laidOut}\n`;
      return heading === undefined ? ended : `${heading}\n${ended}`;
    })
    .join('');
}

/** A signal that fires at the end of the whole pull's time or when the caller gives up; its reason is a PosternError. */
function stopping(target: PullTarget, bounds: PullBounds, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const stop = (code: string, message: string) =>
    controller.abort(new PosternError(code, `${target.name}: ${message}`, { subject: target.name }));
  const timer = setTimeout(
    () =>
      stop(
        'pull-timeout',
        `the pull took longer than ${bounds.pullMs / 1000} s; raise POSTERN_PULL_TIMEOUT_SECONDS if the device is only slow`,
      ),
    bounds.pullMs,
  );
  const onOuter = () => stop('pull-stopped', 'the pull was stopped; it will be tried again');
  if (outer?.aborted) onOuter();
  outer?.addEventListener('abort', onOuter);
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onOuter);
    },
  };
}
