import { setBackend, type Tensor } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedPath } from '../helpers/shared.ts';
import { dtypeOf, holds, type Mapping, OnnxCall } from './call.ts';
import { type OnnxCase, type OnnxTensor, readCases } from './cases.ts';
import { ELEMENTWISE } from './elementwise.ts';
import { NORMS } from './norms.ts';
import { REDUCTIONS } from './reductions.ts';
import { RESIZING } from './resizing.ts';
import { SHAPES } from './shapes.ts';
import { SPATIAL } from './spatial.ts';
import { UNMAPPED } from './unmapped.ts';

// ONNX's own node tests, for each operator that one operation of ours is to express.

const MAPPINGS: Readonly<Record<string, Mapping>> = {
  ...ELEMENTWISE,
  ...SHAPES,
  ...REDUCTIONS,
  ...SPATIAL,
  ...RESIZING,
  ...NORMS,
};

/** Operators that give out what they worked out on the way, after their result. */
const FIRST_ALONE = ['LayerNormalization'];

/** Cases whose first input is of these types count; others run where tensors hold their elements. */
const COUNTED = ['float32', 'int32', 'uint8', 'bool'];
/** These types are only stored: what else is called with them says so. */
const STORED = ['float16', 'bfloat16'];
const OF_STORED = ['Cast', 'CastLike'];
/** Share of the RMS. Sums of ONNX's float32 are less exact than ours where numbers are many. */
const TOLERANCE = 1e-5;

const archive = sharedPath('onnx-node-tests', 'cases.tar.gz');
const cases = archive === null ? [] : readCases(archive);
const held = cases.filter(({ inputs, outputs }) => [...inputs, ...outputs].every(holds));
const mapped = held.filter(({ operator }) => MAPPINGS[operator] !== undefined);
const operators = [...new Set(mapped.map(({ operator }) => operator))].sort();

function differences(actual: Tensor, expected: OnnxTensor): string[] {
  const { values, shape } = expected;
  if (String(actual.shape) !== String(shape)) return [`shape ${actual.shape}, not ${shape}`];
  const dtype = dtypeOf(expected);
  if (actual.dtype !== dtype) return [`dtype ${actual.dtype}, not ${dtype}`];
  const finite = values.filter(Number.isFinite);
  const rms = Math.sqrt(finite.reduce((sum, x) => sum + x * x, 0) / Math.max(1, finite.length));
  const isFloating = expected.type.startsWith('float');
  const { data } = actual;
  return values.flatMap((value, i) => {
    const isClose = isFloating && Math.abs(data[i] - value) <= TOLERANCE * rms;
    return isClose || data[i] === value || (Number.isNaN(value) && Number.isNaN(data[i]))
      ? []
      : [`[${i}] ${data[i]}, not ${value}`];
  });
}

/** What is wrong with a case, or why it is not expressed; nothing if it is right. */
function run(node: OnnxCase): { wrong: string[]; reason: string | null } {
  const isStored = node.inputs.some((input) => STORED.includes(input?.type ?? ''));
  if (isStored && !OF_STORED.includes(node.operator)) {
    return { wrong: [], reason: 'elements that are only stored' };
  }
  const call = new OnnxCall(node);
  const result = MAPPINGS[node.operator](call);
  if ('reason' in result) return { wrong: [], reason: result.reason };
  const results = Array.isArray(result) ? result : [result];
  const wrong = node.outputs.flatMap((output, i) => {
    if (output === null || (i > 0 && FIRST_ALONE.includes(node.operator))) return [];
    const actual = results[i] as Tensor | undefined;
    return actual === undefined ? [`no output ${i}`] : differences(actual, output);
  });
  const ignored = call.unread.map((name) => `attribute ${name} is ignored`);
  return { wrong: [...wrong, ...ignored], reason: null };
}

afterAll(() => setBackend('wasm'));

describe.skipIf(archive === null)(
  "ONNX's node tests (skipped without ../shared/onnx-node-tests)",
  () => {
    describe.each(['reference', 'wasm'])('are right on %s', (backend) => {
      test.each(operators)('%s', async (operator) => {
        await setBackend(backend);
        const faults = mapped
          .filter((node) => node.operator === operator)
          .flatMap((node) =>
            run(node)
              .wrong.slice(0, 3)
              .map((text) => `${node.name}: ${text}`),
          );
        expect(faults).toEqual([]);
      });
    });

    test('are of operators that are mapped, or said to be expressed by no operation', () => {
      const others = held.flatMap(({ operator }) => (operator in MAPPINGS ? [] : [operator]));
      expect(new Set(Object.keys(UNMAPPED))).toEqual(new Set(others));
    });

    test('nine of ten cases of the mapped operators are expressed by one operation', () => {
      const counted = mapped.filter(({ inputs }) => COUNTED.includes(inputs[0]?.type ?? ''));
      const reasons = new Map<string, string[]>();
      for (const node of counted) {
        const { reason } = run(node);
        if (reason === null) continue;
        const key = `${node.operator}: ${reason}`;
        reasons.set(key, [...(reasons.get(key) ?? []), node.name]);
      }
      const missing = [...reasons.values()].flat().length;
      const lines = [...reasons].map(([reason, names]) => `  ${names.length} × ${reason}`).sort();
      console.info(
        `${counted.length - missing} of ${counted.length} counted cases of ${operators.length} operators ` +
          `are expressed by one operation (${held.length - mapped.length} cases are of others); not:\n${lines.join('\n')}`,
      );
      expect(missing / counted.length).toBeLessThanOrEqual(0.1);
    });
  },
);
