import { formatShape, type Shape, type Tensor, zeros } from '@firelight/tensor';
import { Conv2d } from './layers/conv2d.ts';
import { Linear } from './layers/linear.ts';
import type { Module } from './module.ts';
import { traceForward } from './trace.ts';

/** One layer in a `NetworkSummary`. */
export interface LayerSummary {
  readonly name: string;
  readonly type: string;
  readonly outputShape: Shape;
  /** Parameters that no layer above has. */
  readonly parameters: number;
  /** Multiplications (each with an addition) for the whole input. */
  readonly macs: number;
}

const HEADINGS = ['layer', 'type', 'output shape', 'parameters', 'MACs'] as const;

/** What `summary` found; `String(it)` is a table. */
export class NetworkSummary {
  readonly layers: readonly LayerSummary[];
  readonly parameters: number;
  readonly macs: number;

  constructor(layers: readonly LayerSummary[], parameters: number) {
    this.layers = layers;
    this.parameters = parameters;
    this.macs = layers.reduce((sum, { macs }) => sum + macs, 0);
  }

  toString(): string {
    const rows = this.layers.map(({ name, type, outputShape, parameters, macs }) => [
      name,
      type,
      formatShape(outputShape),
      grouped(parameters),
      grouped(macs),
    ]);
    const cells = [[...HEADINGS], ...rows];
    const widths = HEADINGS.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
    const lines = cells.map((row) =>
      row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    );
    const megabytes = ((this.parameters * 4) / 1e6).toFixed(2);
    return [
      lines[0],
      '-'.repeat(lines[0].length),
      ...lines.slice(1),
      '-'.repeat(lines[0].length),
      `${grouped(this.parameters)} parameters (${megabytes} MB), ${grouped(this.macs)} MACs`,
    ].join('\n');
  }
}

const grouped = (count: number): string => count.toLocaleString('en-US');

/**
 * The layers of a network with output shapes, parameters and multiply-accumulates, found by running
 * it once on zeros. A layer that is called twice is listed twice; its parameters, and those that
 * layers share, are counted where they come first, and its multiply-accumulates in each call.
 *
 * @param inputShape with the batch, `[1, 3, 224, 224]`
 */
export function summary(network: Module, inputShape: Shape): NetworkSummary {
  const modes = network.namedModules().map(([, module]) => [module, module.training] as const);
  const layers: LayerSummary[] = [];
  const counted = new Set<Tensor>();
  network.eval();
  try {
    traceForward(network, zeros(inputShape), ({ name, module, output }) => {
      const isLeaf = module.namedModules().length === 1;
      if (!isLeaf) return;
      const own = module.parameters();
      layers.push({
        name,
        type: module.constructor.name,
        outputShape: output.shape,
        parameters: sizeOf(own.filter((parameter) => !counted.has(parameter))),
        macs: macsOf(module, output.shape),
      });
      for (const parameter of own) counted.add(parameter);
    });
  } finally {
    for (const [module, training] of modes) module.training = training;
  }
  return new NetworkSummary(layers, sizeOf(network.parameters()));
}

function sizeOf(parameters: readonly Tensor[]): number {
  return parameters.reduce((sum, { size }) => sum + size, 0);
}

/** Convolution: outputs · taps of a group; linear layer: outputs · inputs; others count as none. */
function macsOf(module: Module, outputShape: Shape): number {
  if (!(module instanceof Conv2d || module instanceof Linear)) return 0;
  const outputs = outputShape.reduce((product, n) => product * n, 1);
  const [outFeatures] = module.weight.shape;
  return outputs * (module.weight.size / outFeatures);
}
