// bytes of a stranger -> text that can be kept, shown and searched

/** A longer line is cut to this. */
export const MAX_LINE_BYTES = 65_536;

/** C0 and C1 controls, and those that turn the direction of text or break lines (U+2028, U+202A and on, U+2066 and on). */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** auditd puts U+001D between a record and its interpreted fields. */
const BLANKS = /[\t\u001d]/g;
const LINE_ENDS = /[\r\n\0]+$/;
/** Most lines are no more than this: one look instead of three. */
const PRINTABLE = /^[ -~]*$/;

/** Cut to MAX_LINE_BYTES, decoded as UTF-8, without line ends; each control character is one U+FFFD, tabs are blanks. */
export function cleanLine(line: Uint8Array | string): string {
  const bytes = typeof line === 'string' ? Buffer.from(line.slice(0, MAX_LINE_BYTES), 'utf8') : line;
  const kept = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, MAX_LINE_BYTES));
  const text = kept.toString('utf8');
  return isPrintable(text) ? text : text.replace(LINE_ENDS, '').replace(BLANKS, ' ');
}

/** ASCII without controls: nothing of it is ever replaced. */
export const isPrintable = (text: string): boolean => PRINTABLE.test(text);

export function withoutControls(text: string): string {
  return text.replace(CONTROLS, '\ufffd');
}
