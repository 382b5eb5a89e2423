/** Prints a line on the console, the place for progress where nobody names another. */
export function printLine(line: string): void {
  // biome-ignore lint/suspicious/noConsole: the monitors exist to print, and take another place by option
  console.log(line);
}

/** Warns on the console. */
export function warnOnConsole(text: string): void {
  // biome-ignore lint/suspicious/noConsole: a warning must reach somebody; another place goes by option
  console.warn(`warning: ${text}`);
}
