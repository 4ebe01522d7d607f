// a rule line of iptables-save -> its words, options and module names

export interface Option {
  /** Long or short name as written, e.g. "--dport", "-s". */
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
  /** The module (-m) or target (-j) that stands in front of it. */
  readonly owner: string;
}

/** Words of a line; quotes and backslashes as iptables-save writes them. Words that were quoted begin with no dash for parsing. */
export function wordsOf(line: string): { readonly text: string; readonly quoted: boolean }[] {
  const words: { text: string; quoted: boolean }[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|(\S+)/g;
  for (const match of line.matchAll(pattern)) {
    const quoted = match[1] !== undefined;
    words.push({ text: quoted ? match[1].replace(/\\(.)/g, '$1') : match[2], quoted });
  }
  return words;
}

/** Options behind "-A CHAIN". */
export function optionsOf(words: ReturnType<typeof wordsOf>): Option[] {
  const options: Option[] = [];
  let owner = '';
  let negated = false;
  for (let i = 0; i < words.length; ) {
    const { text, quoted } = words[i++];
    if (text === '!' && !quoted) {
      negated = true;
      continue;
    }
    const values: string[] = [];
    while (i < words.length && (words[i].quoted || !/^(-[a-zA-Z-]|!$)/.test(words[i].text)))
      values.push(words[i++].text);
    // Before version 1.4.3 the "!" stood between the option and its value.
    if (values.length === 0 && words[i]?.text === '!' && words[i + 1] && !words[i + 1].text.startsWith('-')) {
      negated = true;
      values.push(words[i + 1].text);
      i += 2;
    }
    if (text === '-m' || text === '--match') owner = values[0] ?? '';
    if (text === '-j' || text === '-g' || text === '--jump' || text === '--goto') owner = values[0] ?? '';
    options.push({ name: text, values, negated, owner });
    negated = false;
  }
  return options;
}

/** The option as it was written. */
export function optionText({ name, values, negated }: Option): string {
  return `${negated ? '! ' : ''}${[name, ...values].join(' ')}`.slice(0, 120);
}
