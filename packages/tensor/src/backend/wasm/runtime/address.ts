declare const address: unique symbol;

/** Where something lies in WebAssembly's memory: a number that no count or length can be taken for. */
export type Address = number & { readonly [address]: true };

/** The address of what a task does not read or write. */
export const NOWHERE = 0 as Address;

/** The address `bytes` further on. */
export function addressAfter(start: Address, bytes: number): Address {
  return (start + bytes) as Address;
}
