// exporters -> the small numbers that conversation keys bear; each is given anew only when no row bears it

export interface Numbers {
  readonly most: number;
  /** The number of the current drain. */
  epoch: number;
  /** Numbers below were given at least once. */
  next: number;
  readonly free: number[];
  /** Of exporters that are gone while rows may bear them, with the drain at that time, in its order. */
  readonly waiting: { readonly number: number; readonly epoch: number }[];
  /** Place of the first in `waiting` that was not taken out. */
  head: number;
}

/** Conversation batches have 16 bits for a number. */
const MOST_NUMBERS = 65_536;
/** Exporters come and go during a flood while the numbers of those before them wait. */
const NUMBERS_A_PLACE = 3;

export const createNumbers = (places: number): Numbers => ({
  most: Math.min(MOST_NUMBERS, places * NUMBERS_A_PLACE),
  epoch: 0,
  next: 0,
  free: [],
  waiting: [],
  head: 0,
});

/** Undefined where rows may still bear all of them. */
export function takeNumber(numbers: Numbers): number | undefined {
  const { waiting } = numbers;
  while (numbers.head < waiting.length && hasLeft(numbers, waiting[numbers.head].epoch))
    numbers.free.push(waiting[numbers.head++].number);
  if (numbers.head > 1024 && numbers.head * 2 > waiting.length) {
    waiting.splice(0, numbers.head);
    numbers.head = 0;
  }
  const free = numbers.free.pop();
  if (free !== undefined) return free;
  return numbers.next < numbers.most ? numbers.next++ : undefined;
}

/** `lastEpoch`: the drain during which its last record was folded. */
export function giveBack(numbers: Numbers, number: number, lastEpoch: number): void {
  if (hasLeft(numbers, lastEpoch)) numbers.free.push(number);
  else numbers.waiting.push({ number, epoch: numbers.epoch });
}

/** Rows of an epoch lie in the table being filled, then in the one being drained, then nowhere. */
const hasLeft = ({ epoch }: Numbers, lastEpoch: number) => lastEpoch < epoch - 1;
