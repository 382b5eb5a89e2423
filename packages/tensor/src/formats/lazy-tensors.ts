import type { Tensor } from '../autograd/tensor.ts';

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/**
 * Tensors by name, each decoded when it is first asked for. A proxy of the entries, since a getter for
 * each of many tensors would take longer than reading them.
 *
 * @param entries what a file tells of each tensor; must not be used afterwards
 * @param read decodes one
 */
export function lazyTensors<Entry>(
  entries: Record<string, Entry>,
  read: (name: string, entry: Entry) => Tensor,
): NamedTensors {
  const decoded = new Map<string, Tensor>();
  const get = (_: unknown, name: string | symbol): Tensor | undefined => {
    if (typeof name === 'symbol' || !Object.hasOwn(entries, name)) return undefined;
    const known = decoded.get(name);
    // One that was made inside a `tidy` of the caller ends with it.
    if (known !== undefined && !known.array.storage.isReleased) return known;
    const made = read(name, entries[name]);
    decoded.set(name, made);
    return made;
  };
  // No name is inherited, such as `constructor`.
  return new Proxy(Object.setPrototypeOf(entries, null), {
    get,
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}
