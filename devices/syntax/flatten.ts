// Netfilter chains that jump into each other -> one list of steps a base chain, as a new connection meets them
import type { SourceLine, Stage, Translation } from '../../src/model/rule.ts';
import { intersectTraffic, subtractTraffic, type Traffic } from '../../src/model/traffic.ts';
import { oneFamily } from './boxes.ts';

export type Outcome =
  | { readonly kind: 'accept' | 'drop' }
  | { readonly kind: 'return' }
  | { readonly kind: 'jump'; readonly chain: string }
  | { readonly kind: 'goto'; readonly chain: string }
  | {
      readonly kind: 'translate';
      readonly stage: Exclude<Stage, 'filter'>;
      readonly translation: Translation;
      /** False where the packet goes on to the next rule (a copy was sent). */
      readonly final: boolean;
    };

/** What a rule does to a part of its traffic; a rule with a map has several. */
export interface Branch {
  readonly ruleKey: string;
  readonly match: Traffic;
  readonly unresolved: readonly string[];
  /** Met only by packets that destination NAT translated, or only by those that it did not. */
  readonly translated?: boolean;
  readonly outcome: Outcome;
}

export interface ChainRule {
  readonly lines: readonly SourceLine[];
  readonly branches: readonly Branch[];
}

export interface Step {
  readonly ruleKey: string;
  readonly match: Traffic;
  readonly unresolved: readonly string[];
  readonly translated?: boolean;
  readonly outcome: Exclude<Outcome, { kind: 'return' | 'jump' | 'goto' }>;
}

export interface Budget {
  /** Steps that may still be made. */
  steps: number;
  /** Rules that may still be walked over; chains that jump to a chain many times are walked many times. */
  visits: number;
}

export const newBudget = (): Budget => ({ steps: 200_000, visits: 4_000_000 });

/** The kernel's own limit for nftables (NFT_JUMP_STACK_SIZE). */
const MAX_DEPTH = 16;
/** Pieces that the traffic in a chain may be cut into by returns; beyond, a return is taken as undecidable. */
const MAX_PIECES = 64;

interface Piece {
  readonly match: Traffic;
  readonly unresolved: readonly string[];
  readonly translated?: boolean;
}

interface Walk {
  readonly rulesOf: (chain: string) => readonly ChainRule[] | undefined;
  readonly budget: Budget;
  readonly steps: Step[];
  readonly unread: Set<SourceLine>;
  /** What a return in the base chain comes to: its policy, or the end of a NAT stage. */
  readonly atReturn: (piece: Piece, ruleKey: string) => Step;
}

/** Steps for the traffic `within`, in order; `unread`: lines of rules that depth or budget left out. */
export function flatten(
  chain: string,
  within: Traffic,
  rulesOf: Walk['rulesOf'],
  budget: Budget,
  policy: 'accept' | 'drop',
): { readonly steps: readonly Step[]; readonly unread: readonly SourceLine[] } {
  const walk: Walk = {
    rulesOf,
    budget,
    steps: [],
    unread: new Set(),
    atReturn: (piece, ruleKey) => ({ ...piece, ruleKey, outcome: { kind: policy } }),
  };
  walkChain(walk, chain, [{ match: within, unresolved: [] }], 0);
  return { steps: walk.steps, unread: [...walk.unread] };
}

function walkChain(walk: Walk, chain: string, entering: readonly Piece[], depth: number): void {
  let pieces = entering;
  for (const rule of walk.rulesOf(chain) ?? []) {
    if (pieces.length === 0) return;
    walk.budget.visits -= pieces.length * Math.max(1, rule.branches.length);
    if (walk.budget.visits < 0 || walk.budget.steps <= 0) {
      for (const line of rule.lines) walk.unread.add(line);
      continue;
    }
    for (const branch of rule.branches) pieces = takeBranch(walk, rule, branch, pieces, depth);
  }
}

/** Plays one branch and gives the pieces that go on in this chain. */
function takeBranch(
  walk: Walk,
  rule: ChainRule,
  branch: Branch,
  pieces: readonly Piece[],
  depth: number,
): readonly Piece[] {
  const hits = pieces.flatMap((piece): Piece[] => {
    if (excludes(piece, branch)) return [];
    const match = intersectTraffic(piece.match, branch.match);
    const unresolved = together(piece.unresolved, branch.unresolved);
    return match ? [withState({ match, unresolved }, piece.translated ?? branch.translated)] : [];
  });
  if (hits.length === 0) return pieces;
  const { outcome } = branch;
  if (outcome.kind === 'jump' || outcome.kind === 'goto') {
    if (depth >= MAX_DEPTH) for (const line of rule.lines) walk.unread.add(line);
    else walkChain(walk, outcome.chain, hits, depth + 1);
    if (outcome.kind === 'jump') return pieces;
    // nft(8), iptables(8): after goto, the packet continues where the calling chain would have returned to.
    return leaveChain(walk, branch, hits, pieces, depth);
  }
  if (outcome.kind === 'return') return leaveChain(walk, branch, hits, pieces, depth);
  for (const hit of hits) addStep(walk, { ...hit, ruleKey: branch.ruleKey, outcome });
  return pieces;
}

function leaveChain(
  walk: Walk,
  branch: Branch,
  hits: readonly Piece[],
  pieces: readonly Piece[],
  depth: number,
): readonly Piece[] {
  if (depth === 0) {
    for (const hit of hits) addStep(walk, walk.atReturn(hit, branch.ruleKey));
    return pieces;
  }
  const rest = pieces.flatMap((piece): Piece[] => {
    if (excludes(piece, branch)) return [piece];
    const { unresolved, translated } = piece;
    const parts = subtractTraffic(piece.match, branch.match).map((match) =>
      withState({ match: oneFamily(match), unresolved }, translated),
    );
    if (branch.translated === undefined || translated !== undefined) return parts;
    const match = intersectTraffic(piece.match, branch.match);
    return match ? [...parts, withState({ match, unresolved }, !branch.translated)] : parts;
  });
  if (branch.unresolved.length === 0 && rest.length <= MAX_PIECES) return rest;
  // Whether the packet left is not known: what follows may or may not act on it.
  if (rest.length + hits.length <= MAX_PIECES) return [...rest, ...hits];
  return pieces.map((piece) => ({ ...piece, unresolved: together(piece.unresolved, ['returns']) }));
}

/** One is of translated packets, the other of packets that are not. */
const excludes = (piece: Piece, { translated }: Branch): boolean =>
  piece.translated !== undefined && translated !== undefined && piece.translated !== translated;

const withState = (piece: Piece, translated: boolean | undefined): Piece =>
  translated === undefined ? piece : { ...piece, translated };

function addStep(walk: Walk, step: Step): void {
  walk.steps.push(step);
  walk.budget.steps--;
}

function together(a: readonly string[], b: readonly string[]): readonly string[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...new Set([...a, ...b])];
}
