/** Names that were probably meant by one that there is not. */

/** Letters to change, add or leave out until the pattern is the name; `*` stands for any of them. */
export function editDistance(pattern: string, name: string): number {
  let row = Array.from({ length: name.length + 1 }, (_, i) => i);
  for (const letter of pattern) {
    const isFree = letter === '*';
    const next = [isFree ? row[0] : row[0] + 1];
    for (let i = 1; i <= name.length; i++) {
      const same = row[i - 1] + (isFree || letter === name[i - 1] ? 0 : 1);
      const added = next[i - 1] + (isFree ? 0 : 1);
      next.push(Math.min(same, added, row[i] + (isFree ? 0 : 1)));
    }
    row = next;
  }
  return row[name.length];
}

/** An abbreviation has at least so many letters, and a slip of the pen leaves so many right for each. */
const LETTERS = 3;

/**
 * The option that a wrong name is for: `stride` for `strides`, `kernelSize` for `kernel_size`, `epsilon`
 * for `eps`; null where none looks alike.
 */
export function nearestOption(given: string, known: readonly string[]): string | null {
  const lettersOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const sought = lettersOf(given);
  const distanceTo = (name: string): number => {
    const isBeginning = sought.length >= LETTERS && name.startsWith(sought);
    return isBeginning ? 0 : editDistance(sought, name);
  };
  const [nearest] = known
    .map((name) => ({ name, distance: distanceTo(lettersOf(name)) }))
    .filter(({ distance }) => distance <= sought.length / LETTERS)
    .sort((a, b) => a.distance - b.distance);
  return nearest?.name ?? null;
}
