// lines of known programs that no reader understood -> how often each shape came

export interface ShapeTable {
  add(program: string, message: string): void;
  /** "program: message with numbers, addresses and quoted text blanked" -> how often. */
  readonly counts: ReadonlyMap<string, number>;
  /** Lines whose shape came when the table was full. */
  readonly otherCount: number;
}

const MAX_LENGTH = 160;
const MAX_SHAPES = 500;

export function createShapeTable(maxShapes = MAX_SHAPES): ShapeTable {
  const counts = new Map<string, number>();
  let otherCount = 0;
  return {
    add: (program, message) => {
      const shape = shapeOf(program, message);
      const count = counts.get(shape);
      if (count === undefined && counts.size >= maxShapes) otherCount++;
      else counts.set(shape, (count ?? 0) + 1);
    },
    counts,
    get otherCount() {
      return otherCount;
    },
  };
}

export function shapeOf(program: string, message: string): string {
  const text = message
    .slice(0, MAX_LENGTH)
    .replace(/"[^"]*"|'[^']*'/g, '*')
    .replace(/[0-9A-Fa-f]*(?:[0-9A-Fa-f]*:){2,}[0-9A-Fa-f.:]*/g, '*')
    .replace(/\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, '*')
    .replace(/\d+(?:[.:/]\d+)*/g, '*');
  return `${program}: ${text}`;
}
