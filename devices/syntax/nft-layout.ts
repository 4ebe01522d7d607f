export function layoutNftJson(output: string): string {
  return output;
}
