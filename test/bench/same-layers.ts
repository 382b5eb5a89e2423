import { execFileSync } from 'node:child_process';
import { type LayerSummary, summary } from '@firelight/nn';
import { formatShape, Generator } from '@firelight/tensor';
import { networkOf } from './networks.ts';
import type { Workload } from './workloads.ts';

type Layer = Pick<LayerSummary, 'name' | 'type' | 'outputShape' | 'parameters'>;

const described = (layer: Layer | undefined): string =>
  layer === undefined
    ? 'nothing'
    : `${layer.name} ${layer.type} ${formatShape(layer.outputShape)}, ${layer.parameters} parameters`;

/**
 * Makes sure that another program times the networks that Firelight times, and says so: it compares
 * the layers in the order of their calls, with their names, kinds, parameters and what they give.
 *
 * @param command prints the layers of each workload's network as a line of JSON
 * @throws Error with the first layer that differs
 */
export function checkSameLayers(
  title: string,
  command: (workloads: string) => readonly string[],
  workloads: readonly Workload[],
): void {
  const byNetwork = new Map(workloads.map((workload) => [workload.network, workload]));
  const samples = [...byNetwork.values()].map((workload) => ({ ...workload, batch: 1 }));
  const [program, ...args] = command(JSON.stringify(samples));
  const lines = execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n');
  samples.forEach(({ network, batch, size }, sample) => {
    const own = summary(networkOf(network, new Generator(0)), [batch, 3, size, size]);
    const theirs = JSON.parse(lines[sample]) as Layer[];
    for (let i = 0; i < Math.max(own.layers.length, theirs.length); i++) {
      const [ours, other] = [described(own.layers[i]), described(theirs[i])];
      if (ours === other) continue;
      throw new Error(
        `layer ${i + 1} of ${network.name} is ${ours} in Firelight and ${other} in ${title}; make ` +
          'both build the same network',
      );
    }
    const count = `${theirs.length} layers and ${own.parameters} parameters`;
    console.log(`${title} has the same ${count} for ${network.name}`);
  });
}
