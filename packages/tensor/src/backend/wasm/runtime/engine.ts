import { nodeModule } from '../../host.ts';
import {
  FUNCTION_TYPE,
  MODULE_START,
  SECTION,
  section,
  VALUE_TYPE,
  vector,
} from '../assembler/encoding.ts';
import { OPCODE, type Opcode } from '../assembler/opcodes.ts';
import { splat } from '../assembler/vectors.ts';

/** Bytes of a module `() → v128` whose only instruction after some constants is `opcode`. */
function probe(constants: number, opcode: Opcode): Uint8Array<ArrayBuffer> {
  const zeros = Array.from({ length: constants }, () => splat(0).parts[0]).flat();
  const body = [0, ...zeros, ...OPCODE[opcode], ...OPCODE.end];
  return Uint8Array.from([
    ...MODULE_START,
    ...section(SECTION.type, vector([[FUNCTION_TYPE, 0, 1, VALUE_TYPE.v128]])),
    ...section(SECTION.function, vector([[0]])),
    ...section(SECTION.code, vector([[body.length, ...body]])),
  ]);
}

/** Whether this engine knows SIMD and shared memory. */
export function supportsSimd(): boolean {
  return (
    typeof WebAssembly === 'object' &&
    WebAssembly.validate(probe(2, 'f32x4.add')) &&
    typeof Atomics === 'object'
  );
}

/** Whether this engine knows relaxed SIMD; Node 20 is asked to switch it on first. */
export function supportsRelaxedSimd(): boolean {
  const bytes = probe(3, 'f32x4.relaxed_madd');
  if (WebAssembly.validate(bytes)) return true;
  try {
    nodeModule('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd');
  } catch {
    return false;
  }
  return WebAssembly.validate(bytes);
}
