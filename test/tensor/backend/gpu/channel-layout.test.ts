import { expect, test } from 'vitest';
import {
  channelLayout,
  groupedLayout,
  layoutKey,
  quadCount,
} from '../../../../packages/tensor/src/backend/gpu/layout/channel-layout.ts';

const one = (channels: number) => ({ count: 1, channels });

test('equal places of channels have one layout', () => {
  expect(layoutKey(channelLayout([one(64), one(64)]))).toBe('1x128');
  expect(layoutKey(channelLayout([one(64), one(3)]))).toBe('1x67');
  expect(layoutKey(groupedLayout(128, 8))).toBe('1x128');
  expect(layoutKey(channelLayout([one(6), one(6)]))).toBe(layoutKey(groupedLayout(12, 2)));
  expect(layoutKey(channelLayout([one(6), one(4), one(2)]))).toBe(layoutKey(groupedLayout(12, 2)));
});

test('a run that ends within a quad leaves the rest of it empty', () => {
  expect(layoutKey(channelLayout([one(3), one(5)]))).toBe('1x3+1x5');
  expect(quadCount(channelLayout([one(3), one(5)]))).toBe(3);
  expect(quadCount(groupedLayout(9, 9))).toBe(9);
});
