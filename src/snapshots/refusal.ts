// what devices say in place of an output

/** Longer than this, it is an output that happens to have such a word. UTF-16 units. */
const LONGEST = 4096;
const REFUSALS =
  /^\s*%|^ERROR:|\b(?:invalid (?:input|command|syntax)|unknown (?:command|action)|unrecognized|command not found|permission denied|not authorized|authorization failed|access denied|ambiguous command|incomplete command|syntax error|command parse error|command fail|bad command name|no such file or directory|expected (?:end of command|command name))/im;

export const isRefusal = (output: string): boolean => output.length < LONGEST && REFUSALS.test(output);
