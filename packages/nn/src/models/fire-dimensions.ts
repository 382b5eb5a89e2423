import { ValueError } from '@firelight/tensor';
import { expectInteger, readOptions } from '@firelight/tensor/extend';

/** Channels inside one Fire module. */
export interface FireDimensions {
  readonly squeeze: number;
  readonly expand1x1: number;
  readonly expand3x3: number;
}

/**
 * The paper's metaparameters of a family of SqueezeNets. Module i has
 * e = baseExpand + expandIncrement · ⌊i / frequency⌋ expand channels, of which the share `pct3x3` is
 * 3×3, and squeezeRatio · e squeeze channels.
 *
 * @see SqueezeNet, arXiv:1602.07360, section 5.1
 */
export interface Metaparameters {
  /** Expand channels of the first module; 128 by default. */
  readonly baseExpand?: number;
  /** Channels added at every step; 128 by default. */
  readonly expandIncrement?: number;
  /** Share of 3×3 among the expand channels, in (0, 1); 0.5 by default. */
  readonly pct3x3?: number;
  /** Modules between two steps; 2 by default. */
  readonly frequency?: number;
  /** Squeeze channels for each expand channel, in (0, 1]; 0.125 by default. */
  readonly squeezeRatio?: number;
}

/** Fire modules of a SqueezeNet: fire2 to fire9. */
const MODULES = 8;

/**
 * Channels of the eight Fire modules; the defaults give SqueezeNet's.
 *
 * @throws ValueError if a module would not have whole numbers of channels, all at least 1
 */
export function fireDimensions(metaparameters: Metaparameters = {}): FireDimensions[] {
  const {
    baseExpand = 128,
    expandIncrement = 128,
    pct3x3 = 0.5,
    frequency = 2,
    squeezeRatio = 0.125,
  } = readOptions('fireDimensions', metaparameters, [
    'baseExpand',
    'expandIncrement',
    'pct3x3',
    'frequency',
    'squeezeRatio',
  ]);
  expectInteger('fireDimensions', 'frequency', frequency, 1);
  return Array.from({ length: MODULES }, (_, i) => {
    const expand = baseExpand + expandIncrement * Math.floor(i / frequency);
    // Shares such as 0.3 are not exact in binary, so whole numbers are taken within rounding.
    const whole = (value: number): number =>
      Math.abs(value - Math.round(value)) < 1e-9 ? Math.round(value) : value;
    const expand3x3 = whole(expand * pct3x3);
    const squeeze = whole(expand * squeezeRatio);
    const dimensions = { squeeze, expand1x1: expand - expand3x3, expand3x3 };
    for (const [name, channels] of Object.entries(dimensions)) {
      if (!Number.isInteger(channels) || channels < 1) {
        throw new ValueError(
          `fireDimensions: fire${i + 2} would have ${channels} ${name} channels; choose ` +
            'metaparameters that give whole numbers ≥ 1',
        );
      }
    }
    return dimensions;
  });
}
