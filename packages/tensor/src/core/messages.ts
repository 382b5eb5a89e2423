/**
 * Texts that others wrote (names in a file, paths, answers of a server), as messages show them. A
 * message goes to a terminal or a log, which must neither obey them nor be flooded by them.
 */

/** Most characters between the quotes of one text. */
const QUOTED_LENGTH = 40;
/** Paths longer than this lose their middle. */
const PATH_LENGTH = 300;
/** Most names of a list that are shown. */
const SHOWN_NAMES = 3;

/** Controls, changes of direction and other invisible marks, separators of lines, lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/** `\u202e` for a character, and two of them for one beyond 16 bits, as in JSON. */
function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** The text with everything escaped that a terminal could obey or hide; ends of lines stay. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : escaped(character),
  );
}

/** A text in quotes, on one line, printable, and cut after 40 characters. */
export function quote(text: string): string {
  let shown = '';
  for (const character of text) {
    const next = quoted(character);
    if (shown.length + next.length > QUOTED_LENGTH) return `'${shown}…'`;
    shown += next;
  }
  return `'${shown}'`;
}

/** A character as it stands between single quotes. */
function quoted(character: string): string {
  if (character === '"') return character;
  if (character === "'") return "\\'";
  return JSON.stringify(character).slice(1, -1).replace(UNPRINTABLE, escaped);
}

/** The first few of a list of names, quoted, and how many more there are. */
export function quoteSome(names: readonly string[]): string {
  const more = names.length - SHOWN_NAMES;
  const shown = names.slice(0, SHOWN_NAMES).map(quote).join(', ');
  return more > 0 ? `${shown} … and ${more} more` : shown;
}

/** A path on one line, printable, and without its middle where it is long. */
export function printablePath(path: string): string {
  const shown = path.replace(UNPRINTABLE, escaped);
  if (shown.length <= PATH_LENGTH) return shown;
  const half = PATH_LENGTH / 2;
  return `${shown.slice(0, half)}…${shown.slice(-half)}`;
}

/** What the usual codes of the operating system mean for a file. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the quota of the disk is used up',
  EEXIST: 'a part of its path is a file',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is a file',
  EPERM: 'permission is denied',
  EROFS: 'the disk is read-only',
};

/** Why the system refused to read or write a file: `the disk is full (ENOSPC)`, without the path. */
export function systemReason(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string' && Object.hasOwn(REASONS, code)) return `${REASONS[code]} (${code})`;
  return quote(String(message ?? error));
}
