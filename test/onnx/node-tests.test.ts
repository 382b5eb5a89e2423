import { importOnnx } from '@firelight/nn/formats';
import { setBackend, type Tensor } from '@firelight/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { OPERATORS } from '../../packages/nn/src/formats/onnx/operators.ts';
import { sharedPath } from '../helpers/shared.ts';
import { type OnnxCase, readCases, type TypedTensor } from './cases.ts';
import { UNKNOWN } from './unknown.ts';

// ONNX's own node tests, each of which is a model of one node.

/** Types whose elements are computed with as they are; ONNX's int64 are int32 here. */
const EXACT = ['float32', 'float64', 'int32', 'int64', 'uint8', 'int8', 'uint16', 'bool'];
/** Cases whose first input is of these types count; others run where tensors hold their elements. */
const COUNTED = ['float32', 'int32', 'uint8', 'bool'];
/** Share of the RMS. Sums of ONNX's float32 are less exact than ours where numbers are many. */
const TOLERANCE = 1e-5;

const archive = sharedPath('onnx-node-tests', 'cases.tar.gz');
const cases = archive === null ? [] : readCases(archive);
/** Types that are rounded to and computed with as float32. */
const STORED = ['float16', 'bfloat16'];
const held = cases.filter(({ inputs, outputs, operator }) => {
  const types = operator === 'Cast' ? [...EXACT, ...STORED] : EXACT;
  const values = [...Object.values(inputs), ...Object.values(outputs)];
  return values.every((value) => value !== null && types.includes(value.type));
});
/** Random numbers of another generator. */
const RANDOM = /^training_dropout(?!.*zero_ratio)/;
const known = held.filter(({ operator, name }) => OPERATORS.has(operator) && !RANDOM.test(name));
const operators = [...new Set(known.map(({ operator }) => operator))].sort();

function differences(actual: Tensor, { type, tensor }: TypedTensor): string[] {
  const { shape, dtype, data: values } = tensor;
  if (String(actual.shape) !== String(shape)) return [`shape ${actual.shape}, not ${shape}`];
  if (actual.dtype !== dtype) return [`dtype ${actual.dtype}, not ${dtype}`];
  const finite = Array.from(values).filter(Number.isFinite);
  const rms = Math.sqrt(finite.reduce((sum, x) => sum + x * x, 0) / Math.max(1, finite.length));
  const { data } = actual;
  return Array.from(values).flatMap((value, i) => {
    const isClose = type.startsWith('float') && Math.abs(data[i] - value) <= TOLERANCE * rms;
    return isClose || data[i] === value || (Number.isNaN(value) && Number.isNaN(data[i]))
      ? []
      : [`[${i}] ${data[i]}, not ${value}`];
  });
}

/** Why a case is not computed: a part of the operator, or an opset before those that are known. */
const REASONS = [/ is not computed with (.*)/, / (needs opset \d+);/];

/** The outputs, or why they are not computed. */
async function outputsOf({
  model,
  inputs,
}: OnnxCase): Promise<Readonly<Record<string, Tensor>> | { readonly reason: string }> {
  const given = Object.entries(inputs).flatMap(([name, value]) =>
    value === null ? [] : [[name, value.tensor] as const],
  );
  try {
    return (await importOnnx(model)).run(Object.fromEntries(given));
  } catch (error) {
    const reason = REASONS.map((pattern) => pattern.exec(String(error))?.[1]).find(Boolean);
    if (reason === undefined) throw error;
    return { reason };
  }
}

const isRefused = (result: object): result is { readonly reason: string } =>
  'reason' in result && typeof result.reason === 'string';

/** What is wrong with a case; nothing if it is right, or is refused. */
async function faultsOf(node: OnnxCase): Promise<string[]> {
  const results = await outputsOf(node);
  if (isRefused(results)) return [];
  return Object.entries(node.outputs).flatMap(([name, expected]) => {
    if (expected === null) return [];
    return Object.hasOwn(results, name)
      ? differences(results[name], expected)
      : [`no output ${name}`];
  });
}

afterAll(() => setBackend('wasm'));

describe.skipIf(archive === null)(
  "ONNX's node tests (skipped without ../shared/onnx-node-tests)",
  () => {
    describe.each(['reference', 'wasm'])('are right on %s', (backend) => {
      test.each(operators)('%s', async (operator) => {
        await setBackend(backend);
        const own = known.filter((node) => node.operator === operator);
        const faults = await Promise.all(
          own.map(async (node) =>
            (await faultsOf(node)).slice(0, 3).map((text) => `${node.name}: ${text}`),
          ),
        );
        expect(faults.flat()).toEqual([]);
      });
    });

    test('are of operators that are known, or said to be computed by none', () => {
      const others = held.flatMap(({ operator }) => (OPERATORS.has(operator) ? [] : [operator]));
      expect(new Set(Object.keys(UNKNOWN))).toEqual(new Set(others));
    });

    test('nineteen of twenty cases of the known operators are computed', async () => {
      const counted = known.filter(({ inputs }) =>
        COUNTED.includes(Object.values(inputs)[0]?.type ?? ''),
      );
      const reasons = new Map<string, number>();
      for (const node of counted) {
        const results = await outputsOf(node);
        if (!isRefused(results)) continue;
        const key = `${node.operator}: ${results.reason}`;
        reasons.set(key, (reasons.get(key) ?? 0) + 1);
      }
      const missing = [...reasons.values()].reduce((sum, count) => sum + count, 0);
      const lines = [...reasons].map(([reason, count]) => `  ${count} × ${reason}`).sort();
      console.info(
        `${counted.length - missing} of ${counted.length} counted cases of ${operators.length} operators ` +
          `are computed (${held.length - known.length} cases are of others); not:\n${lines.join('\n')}`,
      );
      expect(missing / counted.length).toBeLessThanOrEqual(0.05);
    });
  },
);
