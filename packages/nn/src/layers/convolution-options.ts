import { expectBoolean, expectInteger, expectThat } from '@firelight/tensor/extend';

/** What all layers of convolutions are made with. */
interface ConvolutionOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** Throws a `ValueError` unless `groups` and channels are integers ≥ 1 that `groups` divides, and `bias` a boolean. */
export function expectConvolution(
  layer: string,
  { inChannels, outChannels, groups = 1, bias = true }: ConvolutionOptions,
): void {
  expectInteger(layer, 'groups', groups, 1);
  for (const [name, channels] of Object.entries({ inChannels, outChannels })) {
    const isRight = Number.isInteger(channels) && channels >= 1 && channels % groups === 0;
    const rule = `an integer ≥ 1 that groups (=${groups}) divides`;
    expectThat(isRight, layer, name, rule, channels);
  }
  expectBoolean(layer, 'bias', bias);
}
