import { expect, test } from 'vitest';
import { readTrace } from './revectorizer-trace.ts';

// Lines as they were printed by Node 24.21.0 (V8 13.6) and, where they differ, 26.10.0 (V8 14.6).

const PACKED = `Begin revec function microKernel
store seeds:
{
#356 Store *(#71 + #355) = #347 [raw, protected, Simd128, NoWriteBarrier]
#359 Store *(#71 + 16 + #358) = #348 [raw, protected, Simd128, NoWriteBarrier, offset: 16]
}
reduce seeds:
{ #301, #302 }
Revec: BuildTreeRec 1052: Added a vector of stores.
Revec: NewPackNode 293: PackNode Store(#356, #359)
Revec: DecideVectorize 1510: Save: 60, cost: 4
Revec: Print 1519: Decide to vectorize, 145 revectorizable nodes:
Revec: Print 197: Store(#356, #359)
Revec: Print 1522: Decide to vectorize, 2 revectorizable intersect nodes:
Finished revec function microKernel
`;

const GIVEN_UP = `Begin revec function winogradInput4
store seeds:
{
#100 Store *(#80) = #90 [raw, protected, Simd128, NoWriteBarrier]
#101 Store *(#80 + 16) = #91 [raw, protected, Simd128, NoWriteBarrier, offset: 16]
}
{
#102 Store *(#80) = #92 [raw, protected, Simd128, NoWriteBarrier]
#103 Store *(#80 + 16) = #93 [raw, protected, Simd128, NoWriteBarrier, offset: 16]
}
{
#104 Store *(#80) = #94 [raw, protected, Simd128, NoWriteBarrier]
#105 Store *(#80 + 16) = #95 [raw, protected, Simd128, NoWriteBarrier, offset: 16]
}
reduce seeds:
Revec: IsSideEffectFree 798: break side effect 277, 321
Revec: CanBePacked 843: Break side effect
Revec: Run 1430: Build tree failed!
Revec: IsSideEffectFree 798: break side effect 395, 439
Revec: CanBePacked 843: Break side effect
Revec: Run 1430: Build tree failed!
Revec: BuildTreeRec 1052: Added a vector of stores.
Revec: NewPackNode 293: PackNode Store(#104, #105)
Revec: Run 1430: Build tree failed!
Finished revec function winogradInput4
Begin revec function relu
Revec: Run 1397: Empty seed
Finished revec function relu
`;

test('what was packed', () => {
  const packing = { name: 'microKernel', packed: 147, seeds: 2, reasons: new Map() };
  expect(readTrace(PACKED)).toEqual([packing]);
  expect(readTrace(PACKED.replaceAll('Decide to', 'Decided to'))).toEqual([packing]);
});

test('why seeds were given up, and functions without any', () => {
  const reasons = { 'Break side effect': 2, 'an operand of Store; V8 does not say why': 1 };
  expect(readTrace(`wasm: WebAssembly SIMD\n${GIVEN_UP}`)).toEqual([
    { name: 'winogradInput4', packed: 0, seeds: 3, reasons: new Map(Object.entries(reasons)) },
    { name: 'relu', packed: 0, seeds: 0, reasons: new Map() },
  ]);
  const [{ reasons: ofNode26 }] = readTrace(
    GIVEN_UP.replaceAll('Build tree failed!', 'Building SLP tree failed!').replaceAll(
      'CanBePacked 843: Break side effect',
      "BuildTreeRec 1021: Can't pack nodes with side effects between them",
    ),
  );
  expect([...ofNode26]).toEqual([
    ["Can't pack nodes with side effects between them", 2],
    ['an operand of Store; V8 does not say why', 1],
  ]);
});

test('a tree that costs more than it saves', () => {
  const trace = PACKED.replace('Save: 60, cost: 4', 'Save: 4, cost: 4').replaceAll(
    /.*Decide to.*\n/g,
    '',
  );
  const [{ packed, reasons }] = readTrace(trace);
  expect(packed).toBe(0);
  expect([...reasons]).toEqual([['it would save 4 operations and cost 4', 1]]);
});

test('of a function that is compiled twice, the last counts', () => {
  const again = GIVEN_UP.replaceAll('winogradInput4', 'microKernel');
  expect(readTrace(PACKED + again).map(({ name, packed }) => [name, packed])).toEqual([
    ['microKernel', 0],
    ['relu', 0],
  ]);
});
