import { expectInteger, expectThat } from '@firelight/tensor/extend';

/** Throws a `ValueError` unless `groups` and channels are integers ≥ 1 that `groups` divides. */
export function expectChannels(
  layer: string,
  { inChannels, outChannels }: { readonly inChannels: number; readonly outChannels: number },
  groups: number,
): void {
  expectInteger(layer, 'groups', groups, 1);
  for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
    const isRight = Number.isInteger(channels) && channels >= 1 && channels % groups === 0;
    const rule = `an integer ≥ 1 that groups (=${groups}) divides`;
    expectThat(isRight, layer, name, rule, channels);
  }
}
