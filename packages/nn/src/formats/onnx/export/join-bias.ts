import type { BuiltNode, GraphBuilder } from './graph-builder.ts';

/**
 * Makes one `Gemm` of a product of matrices and the sum with a vector behind it, as ONNX has linear layers.
 *
 * @param result what the graph gives
 */
export function joinBias(graph: GraphBuilder, result: string): void {
  const uses = graph.uses(result);
  const products = new Map(
    graph.nodes.flatMap((node) =>
      node.operator === 'Gemm' && uses.get(node.output) === 1 ? [[node.output, node]] : [],
    ),
  );
  const replaced = new Map<BuiltNode, BuiltNode | null>();
  for (const node of graph.nodes) {
    const product = products.get(node.inputs.find((name) => products.has(name)) ?? '');
    const bias = node.inputs.find((name) => name !== product?.output) ?? '';
    const isVector = graph.initializers.get(bias)?.shape.length === 1;
    if (node.operator !== 'Add' || product === undefined || !isVector) continue;
    replaced.set(product, null);
    replaced.set(node, { ...product, inputs: [...product.inputs, bias], output: node.output });
  }
  graph.replace(replaced);
}
