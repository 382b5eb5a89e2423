export { initializerByName } from './by-name.ts';
export {
  constant,
  type HeOptions,
  heNormal,
  heUniform,
  normal,
  ones,
  truncatedNormal,
  uniform,
  type VarianceScalingOptions,
  varianceScaling,
  xavierNormal,
  xavierUniform,
  zeros,
} from './distributions.ts';
export type { FanMode, Nonlinearity } from './fans.ts';
export { type InitializerOption, initialize } from './initialize.ts';
export type { Initializer } from './initializer.ts';
export { dirac, identity, orthogonal, sparse } from './structured.ts';
