import { type Shape, type Tensor, zeros } from '@firelight/tensor';
import { elementCount, formatShape } from '@firelight/tensor/extend';
import { Conv1d } from './layers/conv1d.ts';
import { Conv2d } from './layers/conv2d.ts';
import { Linear } from './layers/linear.ts';
import { MultiHeadAttention } from './layers/multi-head-attention.ts';
import type { Module } from './module/module.ts';
import { watchForward } from './module/watch.ts';

/** One layer in a `NetworkSummary`. */
export interface LayerSummary {
  readonly name: string;
  readonly type: string;
  readonly outputShape: Shape;
  /** Parameters that no layer above has. */
  readonly parameters: number;
  /** Those of them that are not frozen. */
  readonly trainable: number;
  /** Multiplications (each with an addition) for the whole input. */
  readonly macs: number;
}

/** Numbers in parameters, and in those that are not frozen. */
interface ParameterCount {
  readonly parameters: number;
  readonly trainable: number;
}

const HEADINGS = ['layer', 'type', 'output shape', 'parameters', 'MACs'] as const;

/** What `summary` found; `String(it)` is a table. */
export class NetworkSummary {
  readonly layers: readonly LayerSummary[];
  readonly parameters: number;
  /** Parameters that are not frozen. */
  readonly trainable: number;
  readonly macs: number;

  constructor(layers: readonly LayerSummary[], { parameters, trainable }: ParameterCount) {
    this.layers = layers;
    this.parameters = parameters;
    this.trainable = trainable;
    this.macs = layers.reduce((sum, { macs }) => sum + macs, 0);
  }

  /** The table, as `String(summary)` prints it. */
  toString(): string {
    const rows = this.layers.map(({ name, type, outputShape, macs, ...count }) => [
      name,
      type,
      formatShape(outputShape),
      describeCount(count),
      grouped(macs),
    ]);
    const cells = [[...HEADINGS], ...rows];
    const widths = HEADINGS.map((_, i) =>
      cells.reduce((width, row) => Math.max(width, row[i].length), 0),
    );
    const lines = cells.map((row) =>
      row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    );
    const megabytes = ((this.parameters * 4) / 1e6).toFixed(2);
    return [
      lines[0],
      '-'.repeat(lines[0].length),
      ...lines.slice(1),
      '-'.repeat(lines[0].length),
      `${describeCount(this)} parameters (${megabytes} MB), ${grouped(this.macs)} MACs`,
    ].join('\n');
  }
}

const grouped = (count: number): string => count.toLocaleString('en-US');

/** `trainable / all`, or only all where none is frozen. */
function describeCount({ parameters, trainable }: ParameterCount): string {
  return trainable === parameters
    ? grouped(parameters)
    : `${grouped(trainable)} trainable / ${grouped(parameters)}`;
}

/**
 * The layers of a network with output shapes, parameters and multiply-accumulates, found by running
 * it once on zeros: modules that hold no others, and those that have parameters of their own besides. A layer that is called twice is listed twice; its parameters, and those that
 * layers share, are counted where they come first, and its multiply-accumulates in each call.
 *
 * @param inputShape with the batch, `[1, 3, 224, 224]`
 */
export function summary(network: Module, inputShape: Shape): NetworkSummary {
  const restoreModes = network.saveModes();
  const layers: LayerSummary[] = [];
  const counted = new Set<Tensor>();
  network.eval();
  try {
    watchForward(network, zeros(inputShape), ({ name, module, output }) => {
      const own = ownParameters(module);
      const isLeaf = module.namedModules().length === 1;
      if (!isLeaf && own.length === 0) return;
      layers.push({
        name,
        type: module.constructor.name,
        outputShape: output.shape,
        ...count(own.filter((parameter) => !counted.has(parameter))),
        macs: macsOf(module, output.shape),
      });
      for (const parameter of own) counted.add(parameter);
    });
  } finally {
    restoreModes();
  }
  return new NetworkSummary(layers, count(network.parameters()));
}

/** Parameters of a module itself, not of those inside it. */
function ownParameters(module: Module): Tensor[] {
  return module
    .namedParameters()
    .filter(([name]) => !name.includes('.'))
    .map(([, parameter]) => parameter);
}

function count(parameters: readonly Tensor[]): ParameterCount {
  const sizeOf = (some: readonly Tensor[]): number => some.reduce((sum, { size }) => sum + size, 0);
  const trainable = parameters.filter(({ requiresGrad }) => requiresGrad);
  return { parameters: sizeOf(parameters), trainable: sizeOf(trainable) };
}

/**
 * Convolution: outputs · taps of a group; linear layer: outputs · inputs; attention: three projections and
 * two products of each two positions, as of a sequence with itself; others count as none.
 */
function macsOf(module: Module, outputShape: Shape): number {
  const outputs = elementCount(outputShape);
  if (module instanceof MultiHeadAttention) {
    const [, length, features] = outputShape;
    return outputs * (3 * features + 2 * length);
  }
  if (!(module instanceof Conv1d || module instanceof Conv2d || module instanceof Linear)) return 0;
  const [outFeatures] = module.weight.shape;
  return outputs * (module.weight.size / outFeatures);
}
