import type { BuiltNode, BuiltTensor, GraphBuilder } from './graph-builder.ts';

/**
 * Makes one convolution of each convolution and the batch norm behind it: with s = γ / √(σ² + ε),
 * weight ← weight · s and bias ← (bias − μ) · s + β, computed in float64.
 *
 * @param result what the graph gives
 */
export function foldBatchNorm(graph: GraphBuilder, result: string): void {
  const uses = graph.uses(result);
  const convolutions = new Map(
    graph.nodes.flatMap((node) =>
      node.operator === 'Conv' && uses.get(node.output) === 1 ? [[node.output, node]] : [],
    ),
  );
  const replaced = new Map<BuiltNode, BuiltNode | null>();
  for (const norm of graph.nodes) {
    const convolution = convolutions.get(norm.inputs[0]);
    if (norm.operator !== 'BatchNormalization' || convolution === undefined) continue;
    const inputs = foldedInputs(graph, convolution, norm, uses);
    if (inputs === null) continue;
    replaced.set(convolution, null);
    replaced.set(norm, { ...convolution, inputs, output: norm.output });
  }
  graph.replace(replaced);
}

/** The operands of a convolution with a norm in it; null if any of them is shared or computed. */
function foldedInputs(
  graph: GraphBuilder,
  { inputs: [x, weightName, biasName] }: BuiltNode,
  { inputs: [, ...normNames], attributes }: BuiltNode,
  uses: ReadonlyMap<string, number>,
): string[] | null {
  const own = (name: string): BuiltTensor | undefined =>
    uses.get(name) === 1 ? graph.initializers.get(name) : undefined;
  const weight = own(weightName);
  const [gamma, beta, mean, variance] = normNames.map((name) => graph.initializers.get(name));
  const bias = biasName === undefined ? null : own(biasName);
  if (!weight || !gamma || !beta || !mean || !variance || bias === undefined) return null;
  const { epsilon } = attributes;
  const added = typeof epsilon === 'object' && 'float' in epsilon ? epsilon.float : 0;
  const { dtype, shape, data } = weight;
  const [outChannels] = shape;
  const scales = Array.from(
    { length: outChannels },
    (_, o) => gamma.data[o] / Math.sqrt(variance.data[o] + added),
  );
  const size = data.length / outChannels;
  const weights = new Float64Array(data.length);
  for (let i = 0; i < weights.length; i++) weights[i] = data[i] * scales[Math.floor(i / size)];
  const biases = scales.map(
    (scale, o) => ((bias?.data[o] ?? 0) - mean.data[o]) * scale + beta.data[o],
  );
  const name = biasName ?? `${weightName.replace(/\.?weight$/, '')}.bias`;
  graph.initializers.set(weightName, { dtype, shape, data: weights });
  graph.initializers.set(name, { dtype, shape: [outChannels], data: biases });
  return [x, weightName, name];
}
