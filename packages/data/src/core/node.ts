import { neededModule } from '@firelight/tensor/extend';

interface NodeModules {
  'node:crypto': typeof import('node:crypto');
  'node:fs': typeof import('node:fs');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
  'node:stream': typeof import('node:stream');
  'node:stream/web': typeof import('node:stream/web');
  'node:zlib': typeof import('node:zlib');
}

const INSTEAD = 'pass bytes to fromBytes or decodeImage';

/**
 * A module of Node; no import, which bundlers for browsers would follow.
 *
 * @throws ValueError outside of Node
 */
export function nodeModule<Name extends keyof NodeModules>(name: Name): NodeModules[Name] {
  return neededModule(name, INSTEAD) as NodeModules[Name]; // A name stands for one module.
}
