// a batch and how many of its rows there is room for -> those of exporters that have few; what a flood brings goes first
import type { ConversationBatch } from './batch.ts';

export interface Thinned {
  readonly kept: ConversationBatch;
  readonly dropped: ConversationBatch;
}

/** Every exporter keeps as many rows as any other, or all it has where that is less. Strangers together count as one. */
export function thinBatch(batch: ConversationBatch, most: number): Thinned {
  const strangers = batch.exporters.length;
  const holderOf = (row: number) => {
    const place = batch.exporter[row];
    return batch.strangers?.[place] === 1 ? strangers : place;
  };
  const rows = new Uint32Array(strangers + 1);
  for (let row = 0; row < batch.count; row++) rows[holderOf(row)]++;
  const share = shareOf(rows, most);
  const left = rows.map((count) => Math.min(count, share));
  const kept: number[] = [];
  const dropped: number[] = [];
  for (let row = 0; row < batch.count; row++) {
    const holder = holderOf(row);
    if (left[holder] > 0) {
      left[holder]--;
      kept.push(row);
    } else dropped.push(row);
  }
  return { kept: pickRows(batch, kept), dropped: pickRows(batch, dropped) };
}

/** The largest share of which all together take at most `most`. */
function shareOf(rows: Uint32Array, most: number): number {
  const counts = rows.filter((count) => count > 0).sort();
  let room = most;
  for (const [i, count] of counts.entries()) {
    const share = Math.floor(room / (counts.length - i));
    if (count > share) return share;
    room -= count;
  }
  return Number.POSITIVE_INFINITY;
}

function pickRows(batch: ConversationBatch, rows: readonly number[]): ConversationBatch {
  const picked: Record<string, unknown> = { ...batch, count: rows.length };
  for (const [name, column] of Object.entries(batch)) {
    if (!ArrayBuffer.isView(column) || name === 'strangers') continue;
    picked[name] = pick(column as Uint32Array, batch.count, rows);
  }
  return picked as unknown as ConversationBatch;
}

/** A column has one word a row, or four for addresses. */
function pick(column: Uint32Array, count: number, rows: readonly number[]): Uint32Array {
  const words = column.length / count;
  const picked = new (column.constructor as Uint32ArrayConstructor)(rows.length * words);
  rows.forEach((row, i) => {
    for (let word = 0; word < words; word++) picked[i * words + word] = column[row * words + word];
  });
  return picked;
}
