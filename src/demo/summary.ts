// an alert as it was sent -> what a person reads of it first
import type { AlertRuleText, DeviceAlert } from '../model/alert.ts';
import type { Colour, Paint } from './say.ts';

const WIDTH = 96;
const LABEL = 10;
const SEVERITY_COLOUR: Record<DeviceAlert['severity'], Colour> = {
  informational: 'dim',
  low: 'yellow',
  medium: 'yellow',
  high: 'red',
  critical: 'red',
};

/** Lines without line ends. */
export function summarise(alert: DeviceAlert, paint: Paint): string[] {
  const heading = `${alert.severity.toUpperCase()} ${alert.score}`;
  return [
    '',
    `${paint(SEVERITY_COLOUR[alert.severity], paint('bold', heading))}  ${paint('bold', plain(alert.title))}`,
    paint('dim', `${alert.analytic}, ${alert.id}, revision ${alert.revision}`),
    '',
    ...wrap(alert.narrative).map((line) => `  ${line}`),
    '',
    ...field('change', `${alert.change.kind}, ${alert.change.class}`, paint),
    ...ruleLines(alert, paint),
    ...actorLines(alert, paint),
    ...field('ticket', `${alert.change.ticket.state}: ${alert.change.ticket.reason}`, paint),
    ...trafficLines(alert, paint),
    ...alert.scoreReasons.flatMap(({ reason, weight }, i) =>
      field(i === 0 ? 'why' : '', `${String(Math.round(weight)).padStart(3)}  ${reason}`, paint, 5),
    ),
    ...alert.missingStages.flatMap((stage, i) => field(i === 0 ? 'missing' : '', stage, paint)),
    '',
  ];
}

/** The difference with the line numbers of the configuration that has it. */
function ruleLines({ change }: DeviceAlert, paint: Paint): string[] {
  const side = (sign: string, colour: Colour, rule: AlertRuleText | undefined) =>
    (rule?.lines ?? []).map(
      ({ number, text }) =>
        `${' '.repeat(LABEL + 2)}${paint(colour, `${sign} ${String(number).padStart(3)}  ${plain(text)}`)}`,
    );
  return [...side('-', 'red', change.before), ...side('+', 'green', change.after)];
}

/** Who, by the strongest evidence, then each item of it in its own words. */
function actorLines({ change }: DeviceAlert, paint: Paint): string[] {
  const [first, ...others] = change.actors;
  if (!first) return field('actor', 'unknown', paint);
  const who = `${first.user ?? 'unknown'}${first.sourceAddress ? ` from ${first.sourceAddress}` : ''}`;
  return [
    ...field('actor', who, paint),
    ...[first, ...others]
      .slice(0, 3)
      .flatMap(({ confidence, source, raw }) =>
        field('', `${confidence.toFixed(1)}  ${source}: ${raw}`, paint, 5),
      ),
  ];
}

function trafficLines({ flows, destinations }: DeviceAlert, paint: Paint): string[] {
  if (flows.observed.outPackets === 0) return field('traffic', 'none of it yet', paint);
  const { observed, baseline } = flows;
  const back =
    flows.returnRatio === null
      ? 'the return path is not visible'
      : `return ratio ${flows.returnRatio.toFixed(3)}`;
  return [
    ...field(
      'traffic',
      `${count(observed.outPackets)} packets out, ${count(observed.returnPackets)} back: ${back}`,
      paint,
    ),
    ...field(
      '',
      `${count(observed.packetsPerMinute)} packets a minute, ${count(baseline.packetsPerMinute)} in the ${count(baseline.minutes)} minutes before`,
      paint,
    ),
    ...destinations
      .slice(0, 3)
      .flatMap((one, i) =>
        field(i === 0 ? 'to' : '', `${one.address}  AS${one.asn} ${one.name}, ${one.category}`, paint),
      ),
  ];
}

/** `hang`: blanks in front of all lines of the text but the first. */
function field(label: string, text: string, paint: Paint, hang = 0): string[] {
  return wrap(text, WIDTH - LABEL - hang).map(
    (line, i) =>
      `  ${paint('cyan', (i === 0 ? label : '').padEnd(LABEL))}${i === 0 ? '' : ' '.repeat(hang)}${line}`,
  );
}

function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = '';
  // Runs of blanks stay: columns stand on them.
  for (const word of plain(text).split(/(?<=\S) (?=\S)/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Devices and logs are quoted in alerts; nothing of them may steer a terminal. */
const plain = (text: string) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
const count = (value: number) => Math.round(value).toLocaleString('en');
