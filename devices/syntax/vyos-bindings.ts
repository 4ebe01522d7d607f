// which interface asks which list: `interfaces .. firewall in name X`, `interfaces .. policy route P`, and the later forms
import type { SourceLine } from '../../src/model/rule.ts';
import { at, list, type WordTree, words } from './tree.ts';
import type { Vyos } from './vyos-config.ts';
import { linesOf } from './vyos-text.ts';

export interface Binding {
  readonly face: string;
  readonly family: 'ip' | 'ip6';
  readonly direction: 'in' | 'out' | 'local';
  readonly target: string;
  readonly line: SourceLine;
}

const DIRECTIONS = ['in', 'out', 'local'] as const;

/** In the order in which the hooks ask: all of `in`, then all of `out`. */
export function readBindings(vyos: Vyos): Binding[] {
  return bound(vyos, { name: 'ip', 'ipv6-name': 'ip6' });
}

/** EdgeOS: `firewall in modify M`. */
export function readModifyBindings(vyos: Vyos): Binding[] {
  return bound(vyos, { modify: 'ip', 'ipv6-modify': 'ip6' });
}

function bound(vyos: Vyos, words: Readonly<Record<string, 'ip' | 'ip6'>>): Binding[] {
  const places: { face: string; node: WordTree | undefined }[] = [
    ...vyos.faces.map((face) => ({ face: face.name, node: at(face.node, 'firewall') })),
    ...list(vyos.tree, 'firewall', 'interface').map((node) => ({ face: node.word, node })),
  ];
  return DIRECTIONS.flatMap((direction) =>
    places.flatMap(({ face, node }) =>
      list(node, direction).flatMap((kind) =>
        [...kind.children.values()].flatMap((target): Binding[] => {
          const family = Object.hasOwn(words, kind.word) ? words[kind.word] : undefined;
          const [line] = linesOf(target);
          return family && line ? [{ face, family, direction, target: target.word, line }] : [];
        }),
      ),
    ),
  );
}

/** `interfaces .. policy route P` up to VyOS 1.3, `policy route P interface I` since then. */
export function policyInterfaces(
  vyos: Vyos,
  family: 'ip' | 'ip6',
  policy: WordTree,
): { readonly names: readonly string[]; readonly lines: readonly SourceLine[] } {
  const words6 = family === 'ip' ? ['route'] : ['route6', 'ipv6-route'];
  const old = vyos.faces.flatMap((face) =>
    words6.flatMap((word) => {
      const node = at(face.node, 'policy', word, policy.word);
      return node ? [{ name: face.name, lines: linesOf(node) }] : [];
    }),
  );
  const own = at(policy, 'interface');
  return {
    names: [...new Set([...old.map(({ name }) => name), ...words(policy, 'interface')])],
    lines: [...old.flatMap(({ lines }) => lines), ...(own ? linesOf(own) : [])],
  };
}
