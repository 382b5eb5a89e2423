import { readFileSync } from 'node:fs';
import { parseSafetensors, type SafetensorsFile } from './parse-safetensors.ts';

/** The same for a file of this machine. */
export function readSafetensors(path: string): SafetensorsFile {
  return parseSafetensors(readFileSync(path));
}
