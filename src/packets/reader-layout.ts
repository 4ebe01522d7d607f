// template fields -> where each readable field lies in a record, as program text made of numbers only
import { chooseFields, type Target } from './targets.ts';
import { VARIABLE_LENGTH } from './template.ts';

/** Where the readable fields lie: constant offsets from `o`, or from the end of a variable-length field. */
export interface Layout {
  /** Of the shortest record. */
  readonly minimumBytes: number;
  /** Statements that find the variable-length fields and check the record's end; empty for fixed-length templates. */
  readonly walk: string;
  /** Expression of the offset behind the record. */
  readonly next: string;
  readonly at: (target: Target) => FieldPlace | undefined;
}

export interface FieldPlace {
  readonly offset: string;
  readonly length: number;
}

/** Everything that becomes program text passes here. */
export function int(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not a non-negative integer');
  return String(value);
}

/** An unsigned big-endian integer of 1 to 8 bytes (RFC 7011 section 6.2); above 2^53 the nearest number. */
export function unsigned({ offset, length }: FieldPlace): string {
  const u = (bits: 8 | 16 | 32, skip: number) => `view.getUint${bits}(${offset} + ${int(skip)})`;
  switch (length) {
    case 1:
      return u(8, 0);
    case 2:
      return u(16, 0);
    case 3:
      return `(${u(16, 0)} * 256 + ${u(8, 2)})`;
    case 4:
      return u(32, 0);
    case 5:
      return `(${u(8, 0)} * 4294967296 + ${u(32, 1)})`;
    case 6:
      return `(${u(16, 0)} * 4294967296 + ${u(32, 2)})`;
    case 7:
      return `((${u(16, 0)} * 256 + ${u(8, 2)}) * 4294967296 + ${u(32, 3)})`;
    case 8:
      return `(${u(32, 0)} * 4294967296 + ${u(32, 4)})`;
    default:
      throw new RangeError('not a length of an unsigned integer');
  }
}

/** The low 8, 16 or 32 bits, as typed arrays keep them: never goes through a double. */
export function lowBits({ offset, length }: FieldPlace, bits: 8 | 16 | 32): string {
  const wanted = bits / 8;
  if (length >= wanted) {
    const method = bits === 32 ? 'getInt32' : `getUint${bits}`;
    return `view.${method}(${offset} + ${int(length - wanted)})`;
  }
  return unsigned({ offset, length });
}

/** RFC 7011 section 7: a length below 255 in one byte, else 255 and two bytes of length. */
export function layOut(fields: Uint32Array): Layout {
  const chosen = chooseFields(fields);
  const offsets: string[] = [];
  const walk: string[] = [];
  let base = 'o';
  let fixed = 0;
  for (let i = 0; i < fields.length; i += 3) {
    offsets.push(`${base} + ${int(fixed)}`);
    const length = fields[i + 1];
    if (length !== VARIABLE_LENGTH) {
      fixed += length;
      continue;
    }
    const next = `p${int(walk.length)}`;
    walk.push(`let ${next} = ${base} + ${int(fixed + 1)};
    if (${next} > end) { columns.count = n; return -1; }
    if (view.getUint8(${next} - 1) < 255) ${next} += view.getUint8(${next} - 1);
    else if (${next} + 2 > end) { columns.count = n; return -1; }
    else ${next} += 2 + view.getUint16(${next});`);
    base = next;
    fixed = 0;
  }
  const next = `${base} + ${int(fixed)}`;
  if (walk.length > 0) walk.push(`if (${next} > end) { columns.count = n; return -1; }`);
  return {
    minimumBytes: minimumBytes(fields),
    walk: walk.join('\n    '),
    next,
    at: (target) => {
      const taken = chosen.get(target);
      return taken && { offset: offsets[taken.field], length: taken.length };
    },
  };
}

function minimumBytes(fields: Uint32Array): number {
  let sum = 0;
  for (let i = 1; i < fields.length; i += 3) sum += fields[i] === VARIABLE_LENGTH ? 1 : fields[i];
  return sum;
}
