// `ltm snat` and `ltm nat` of TMOS: listeners for what comes from their origins, met after the virtual servers
import { type AddressSet, ANY_ADDRESS, unionAddresses } from '../../src/model/addresses.ts';
import type { Translation } from '../../src/model/rule.ts';
import { ANY_TRAFFIC } from '../../src/model/traffic.ts';
import type { Assembly } from './assemble.ts';
import { vlansOf } from './tmsh-listeners.ts';
import { snatPoolOf, snatTranslationOf } from './tmsh-pools.ts';
import { addressesOf, plainName } from './tmsh-text.ts';
import type { Stages } from './tmsh-virtuals.ts';
import { at, linesUnder, list, type WordTree, word } from './tree.ts';

const MOST_LINES = 120;

export function readSnats(tree: WordTree, assembly: Assembly, stages: Stages): void {
  for (const node of list(tree, 'ltm', 'snat')) {
    const translation = translationOf(tree, node);
    const origins = originsOf(node);
    const rule = assembly.rule({
      key: `snat:${plainName(node.word)}`,
      kind: 'nat',
      list: 'snat',
      enabled: !at(node, 'disabled'),
      matches: [{ ...ANY_TRAFFIC, ingress: vlansOf(node), sources: origins.addresses }],
      unresolved: origins.unresolved,
      ...(translation ? { translation: translation.translation } : {}),
      action: 'snat',
      lines: [...linesUnder(node, MOST_LINES), ...(translation?.lines ?? [])].slice(0, MOST_LINES),
    });
    // Without a translation the object does nothing.
    if (!translation) continue;
    stages.filter.entry(rule, 'accept');
    stages.sourceNat.entry(rule, 'translate', { translation: translation.translation });
  }
}

/** `origins { 10.0.0.0/8 { } }`; without any, whoever sends. */
function originsOf(node: WordTree): { addresses: AddressSet; unresolved: string[] } {
  const written = list(node, 'origins').map(({ word: text }) => text);
  if (written.length === 0) return { addresses: ANY_ADDRESS, unresolved: [] };
  const known = written.map((text) => addressesOf(text));
  return {
    addresses: unionAddresses(...known.flatMap((one) => one?.addresses ?? [])),
    unresolved: written.filter((_, i) => !known[i]).map((text) => `origin ${text.slice(0, 64)}`),
  };
}

function translationOf(tree: WordTree, node: WordTree) {
  if (at(node, 'automap')) return { translation: { kind: 'source' } as Translation, lines: [] };
  const pool = word(node, 'snatpool');
  const single = word(node, 'translation');
  const found =
    pool !== undefined
      ? snatPoolOf(tree, pool)
      : single !== undefined
        ? snatTranslationOf(tree, single)
        : undefined;
  return (
    found && {
      translation: {
        kind: 'source',
        ...(found.addresses ? { addresses: found.addresses } : {}),
      } as Translation,
      lines: found.lines,
    }
  );
}

/** One address for one, both ways. */
export function readNats(tree: WordTree, assembly: Assembly, stages: Stages): void {
  for (const node of list(tree, 'ltm', 'nat')) {
    const outside = addressesOf(
      word(node, 'translation-address') ?? node.word.slice(node.word.lastIndexOf('/') + 1),
    );
    const inside = addressesOf(word(node, 'originating-address') ?? '');
    if (!outside || !inside) {
      assembly.notUnderstood(...linesUnder(node, MOST_LINES));
      continue;
    }
    const translation: Translation = { kind: 'destination', addresses: inside.addresses };
    const rule = assembly.rule({
      key: `nat:${plainName(node.word)}`,
      kind: 'nat',
      list: 'nat',
      enabled: !at(node, 'disabled'),
      matches: [{ ...ANY_TRAFFIC, ingress: vlansOf(node), destinations: outside.addresses }],
      translation,
      action: 'nat',
      lines: linesUnder(node, MOST_LINES),
    });
    const outgoing = [{ ...ANY_TRAFFIC, sources: inside.addresses }];
    stages.filter.entry(rule, 'accept');
    stages.filter.entry(rule, 'accept', { matches: outgoing });
    stages.destinationNat.entry(rule, 'translate', { translation });
    stages.sourceNat.entry(rule, 'translate', {
      matches: outgoing,
      translation: { kind: 'source', addresses: outside.addresses },
    });
  }
}
