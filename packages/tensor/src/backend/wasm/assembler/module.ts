import {
  FUNCTION_TYPE,
  MODULE_START,
  SECTION,
  section,
  text,
  unsigned,
  VALUE_TYPE,
  vector,
} from './encoding.ts';
import type { Features } from './features.ts';
import { FunctionBuilder, type FunctionDefinition, type ModuleContext } from './function.ts';
import { OPCODE } from './opcodes.ts';
import {
  flatTypes,
  type LocalsOf,
  mapParameters,
  type ParameterTypes,
  valueTypeOf,
} from './parameters.ts';

const FUNCTION_REFERENCE = 0x70;

export interface ModuleOptions {
  readonly features: Features;
  /** The memory that the module imports as `env.memory`, in pages of 64 KiB. */
  readonly memory: { readonly initial: number; readonly maximum: number };
  /** Functions that JavaScript calls by their names. */
  readonly exports: readonly FunctionDefinition[];
  /** Functions of one type that are called by their number in the table. */
  readonly table: readonly FunctionDefinition[];
}

/** The bytes of a module with shared memory that holds the given functions and all they call. */
export function assembleModule(options: ModuleOptions): Uint8Array<ArrayBuffer> {
  const definitions: FunctionDefinition[] = [];
  const context: ModuleContext = {
    features: options.features,
    indexOf(definition) {
      const known = definitions.indexOf(definition);
      return known >= 0 ? known : definitions.push(definition) - 1;
    },
  };
  for (const definition of [...options.table, ...options.exports]) context.indexOf(definition);

  const bodies: number[][] = [];
  // Bodies name further functions, so the list may grow while it is walked.
  for (const definition of definitions) bodies.push(assembleFunction(context, definition));

  const types = definitions.map(({ parameters }) => [
    FUNCTION_TYPE,
    ...vector(flatTypes(parameters).map((type) => [VALUE_TYPE[valueTypeOf(type)]])),
    0, // no results
  ]);
  const { initial, maximum } = options.memory;
  const memory = [
    ...text('env'),
    ...text('memory'),
    2,
    3,
    ...unsigned(initial),
    ...unsigned(maximum),
  ];
  const size = unsigned(options.table.length);
  const entries = vector(options.table.map((definition) => unsigned(context.indexOf(definition))));
  const exported = options.exports.map((definition) => [
    ...text(definition.name),
    0,
    ...unsigned(context.indexOf(definition)),
  ]);
  const names = vector(definitions.map(({ name }, i) => [...unsigned(i), ...text(name)]));
  const parts = [
    MODULE_START,
    section(SECTION.type, vector(types)),
    section(SECTION.import, vector([memory])),
    section(SECTION.function, vector(definitions.map((_, i) => unsigned(i)))),
    section(SECTION.table, vector([[FUNCTION_REFERENCE, 0, ...size]])),
    section(SECTION.export, vector(exported)),
    section(SECTION.element, vector([[0, ...OPCODE['i32.const'], 0, ...OPCODE.end, ...entries]])), // table 0, from index 0
    section(SECTION.code, vector(bodies)),
    // What profiles, traces of the compiler and stack traces call the functions.
    section(SECTION.custom, [...text('name'), ...section(1, names)]),
  ];
  return Uint8Array.from(parts.flat());
}

function assembleFunction(context: ModuleContext, definition: FunctionDefinition): number[] {
  const { parameters, body } = definition;
  const f = new FunctionBuilder(context, flatTypes(parameters).length);
  let index = 0;
  const locals = mapParameters(parameters, (type) => f.parameter(valueTypeOf(type), index++));
  body(f, locals as LocalsOf<ParameterTypes>); // One local per parameter.
  return f.encode();
}
