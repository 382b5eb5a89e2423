import type {
  AverageOption,
  AverageOptions,
  CheckpointConfig,
  ModelCheckpointOptions,
} from '@firelight/nn';
import type { BatchNorm2dCommonOptions, BatchNorm2dSettings } from '@firelight/tensor';
import * as root from '@firelight/tensor';
import * as door from '@firelight/tensor/extend';
import { expect, expectTypeOf, test } from 'vitest';

// What has a new name or place works under the old one, too.

test('types of options', () => {
  expectTypeOf<CheckpointConfig>().toEqualTypeOf<ModelCheckpointOptions>();
  expectTypeOf<AverageOption>().toEqualTypeOf<AverageOptions>();
  expectTypeOf<BatchNorm2dSettings>().toEqualTypeOf<BatchNorm2dCommonOptions>();
});

test('what extends the library', () => {
  const names = [
    ...['asTensor', 'defineOp', 'describeValue', 'formatShape', 'listOps', 'NdArray', 'printable'],
    ...['printablePath', 'quote', 'quoteSome', 'systemReason', 'windowCount'],
  ] as const;
  const both = Object.keys(root).filter((name) => Object.hasOwn(door, name));
  expect(both.sort()).toEqual([...names].sort());
  const former = root as Readonly<Record<string, unknown>>;
  const present = door as Readonly<Record<string, unknown>>;
  for (const name of names) expect(former[name], name).toBe(present[name]);
  expectTypeOf<root.Kernels>().toEqualTypeOf<door.Kernels>();
  expectTypeOf<root.OpInfo>().toEqualTypeOf<door.OpInfo>();
  expectTypeOf<root.OpDefinition<[], null, null>>().toEqualTypeOf<
    door.OpDefinition<[], null, null>
  >();
});
