import { neededModule } from '@firelight/tensor/extend';

interface NodeModules {
  'node:crypto': typeof import('node:crypto');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
}

const INSTEAD =
  'pass bytes to decodeCheckpoint or openCheckpoint, and keep those of encodeCheckpoint';

/**
 * A module of Node; no import, which bundlers for browsers would follow.
 *
 * @throws ValueError outside of Node
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] {
  return neededModule(name, INSTEAD) as NodeModules[Name]; // A name stands for one module.
}
