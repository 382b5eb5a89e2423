import { ValueError } from '@firelight/tensor';

interface NodeModules {
  'node:crypto': typeof import('node:crypto');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
}

/**
 * A module of Node; no import, which bundlers for browsers would follow.
 *
 * @throws ValueError outside of Node
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] {
  const module = globalThis.process?.getBuiltinModule?.(name);
  if (module === undefined) {
    throw new ValueError(
      `files need Node, and '${name}' is not here; in a browser pass bytes to decodeCheckpoint or ` +
        'openCheckpoint, and keep those of encodeCheckpoint',
    );
  }
  return module as NodeModules[Name]; // A name stands for one module.
}
