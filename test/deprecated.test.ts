import type {
  AverageOption,
  AverageOptions,
  CheckpointConfig,
  ModelCheckpointOptions,
} from '@firelight/nn';
import type { BatchNorm2dCommonOptions, BatchNorm2dSettings } from '@firelight/tensor';
import { expectTypeOf, test } from 'vitest';

// What has a new name or place works under the old one, too.

test('types of options', () => {
  expectTypeOf<CheckpointConfig>().toEqualTypeOf<ModelCheckpointOptions>();
  expectTypeOf<AverageOption>().toEqualTypeOf<AverageOptions>();
  expectTypeOf<BatchNorm2dSettings>().toEqualTypeOf<BatchNorm2dCommonOptions>();
});
