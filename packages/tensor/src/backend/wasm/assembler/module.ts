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
import {
  flatTypes,
  type LocalsOf,
  mapParameters,
  type ParameterTypes,
  valueTypeOf,
} from './parameters.ts';

const FUNCTION_REFERENCE = 0x70;
/** What an import is. */
const IMPORTED = { function: 0, table: 1, memory: 2 } as const;
/** Limits of a memory: it is shared and has a maximum. Of a table: it has none. */
const SHARED = 3;
const WITHOUT_MAXIMUM = 0;

export interface ModuleOptions {
  readonly features: Features;
  /** The memory that the module imports as `env.memory`, in pages of 64 KiB. */
  readonly memory: { readonly initial: number; readonly maximum: number };
  /** Functions that JavaScript calls by their names. */
  readonly exports: readonly FunctionDefinition[];
  /** Functions of JavaScript, imported from `env` by their names; none by default. */
  readonly imports?: readonly FunctionDefinition[];
  /** Whether there is a table `env.table`, for `callIndirect`. */
  readonly hasTable?: boolean;
}

/** The bytes of a module with shared memory that holds the given functions and all they call. */
export function assembleModule(options: ModuleOptions): Uint8Array<ArrayBuffer> {
  const { features, memory, exports, imports = [], hasTable = false } = options;
  const definitions: FunctionDefinition[] = [...imports];
  const types: number[][] = [];
  const context: ModuleContext = {
    features,
    indexOf(definition) {
      const known = definitions.indexOf(definition);
      return known >= 0 ? known : definitions.push(definition) - 1;
    },
    typeOf(parameters) {
      const type = functionType(parameters);
      const known = types.findIndex((other) => String(other) === String(type));
      return known >= 0 ? known : types.push(type) - 1;
    },
  };
  for (const definition of exports) context.indexOf(definition);

  const bodies: number[][] = [];
  // Bodies name further functions, so the list may grow while it is walked.
  for (let i = imports.length; i < definitions.length; i++) {
    bodies.push(assembleFunction(context, definitions[i]));
  }
  const typeIndices = definitions.map(({ parameters }) => unsigned(context.typeOf(parameters)));

  const imported = [
    ...imports.map(({ name }, i) => [...text(name), IMPORTED.function, ...typeIndices[i]]),
    [
      ...[...text('memory'), IMPORTED.memory, SHARED],
      ...[...unsigned(memory.initial), ...unsigned(memory.maximum)],
    ],
    ...(hasTable
      ? [[...text('table'), IMPORTED.table, FUNCTION_REFERENCE, WITHOUT_MAXIMUM, 0]]
      : []),
  ].map((entry) => [...text('env'), ...entry]);
  const exported = exports.map((definition) => [
    ...text(definition.name),
    0,
    ...unsigned(context.indexOf(definition)),
  ]);
  const names = vector(definitions.map(({ name }, i) => [...unsigned(i), ...text(name)]));
  const parts = [
    MODULE_START,
    section(SECTION.type, vector(types)),
    section(SECTION.import, vector(imported)),
    section(SECTION.function, vector(typeIndices.slice(imports.length))),
    section(SECTION.export, vector(exported)),
    section(SECTION.code, vector(bodies)),
    // What profiles, traces of the compiler and stack traces call the functions.
    section(SECTION.custom, [...text('name'), ...section(1, names)]),
  ];
  return Uint8Array.from(parts.flat());
}

/** A function of these parameters, which gives nothing. */
function functionType(parameters: ParameterTypes): number[] {
  const values = flatTypes(parameters).map((type) => [VALUE_TYPE[valueTypeOf(type)]]);
  return [FUNCTION_TYPE, ...vector(values), 0];
}

function assembleFunction(context: ModuleContext, definition: FunctionDefinition): number[] {
  const { parameters, body } = definition;
  const f = new FunctionBuilder(context, flatTypes(parameters).length);
  let index = 0;
  const locals = mapParameters(parameters, (type) => f.parameter(valueTypeOf(type), index++));
  body(f, locals as LocalsOf<ParameterTypes>); // One local per parameter.
  return f.encode();
}
