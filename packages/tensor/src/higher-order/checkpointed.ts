import { runBackward } from '../autograd/backward.ts';
import { asRepetition, isGradEnabled, rejectPromise, withGrad } from '../autograd/grad-mode.ts';
import { GraphNode, recordedOperations, type Target } from '../autograd/graph.ts';
import { guardSaved } from '../autograd/saved-array.ts';
import { Tensor } from '../autograd/tensor.ts';
import { describeValue } from '../core/describe.ts';
import { AutogradError, DTypeError } from '../core/errors.ts';
import { withMemoryScope } from '../core/memory.ts';
import type { NdArray } from '../core/ndarray.ts';
import { recordDraws, repeatDraws } from '../core/random.ts';

/** What a graph ends in: leaves, and operations that were recorded before it. */
function endsOf(result: Tensor, start: number): Target[] {
  const ends: Target[] = [];
  const visited = new Set<Target>([result.node ?? result]);
  for (const target of visited) {
    if (!(target instanceof GraphNode) || target.age < start) ends.push(target);
    else for (const edge of target.edges) if (edge !== null) visited.add(edge);
  }
  return ends;
}

/** Runs `f` on leaves of its own with the elements of the inputs. */
function runOnLeaves(
  f: (...inputs: Tensor[]) => Tensor,
  arrays: readonly NdArray[],
  needed: readonly boolean[],
): { leaves: Tensor[]; y: Tensor; ends: Target[] } {
  const leaves = arrays.map((array, i) => new Tensor(array, { requiresGrad: needed[i] }));
  const start = recordedOperations();
  const y = f(...leaves);
  rejectPromise('checkpointed', y);
  if (!(y instanceof Tensor)) {
    throw new DTypeError(`checkpointed: the function must give a tensor, got ${describeValue(y)}`);
  }
  const ends = endsOf(y, start).filter((end) => !leaves.includes(end as Tensor));
  return { leaves, y, ends };
}

/**
 * The same function, whose intermediate results are not kept for `backward` but computed again there:
 * less memory, for one more forward pass. The second pass draws the same random numbers and leaves
 * running statistics alone.
 *
 * @param f tensors → tensor, of which a second call computes the same; tensors from outside that it uses,
 *   such as a network's parameters, get their gradients too
 * @throws DTypeError if f gives no tensor; ValueError if it is async; in `backward`, AutogradError if an
 *   input or a parameter was changed in place since. First order only.
 * @see Chen et al., arXiv:1604.06174; torch.utils.checkpoint
 */
export function checkpointed<Inputs extends readonly Tensor[]>(
  f: (...inputs: Inputs) => Tensor,
): (...inputs: Inputs) => Tensor {
  const run = f as unknown as (...inputs: Tensor[]) => Tensor; // It gets as many as it asks for.
  return (...inputs) => {
    if (!isGradEnabled()) return f(...inputs);
    const needed = inputs.map(({ requiresGrad }) => requiresGrad);
    const arrays = inputs.map(({ array }) => array);
    const { result, before } = recordDraws(() =>
      withMemoryScope(
        () => runOnLeaves(run, arrays, needed),
        ({ y }) => [y.array.storage],
      ),
    );
    const { y, ends } = result;
    if (!y.requiresGrad) return y;
    const edges = [
      ...inputs.map((input, i) => (needed[i] ? (input.node ?? input) : null)),
      ...ends,
    ];
    // Parameters are kept to make sure that they are as they were.
    const parameters = ends.flatMap((end) => (end instanceof GraphNode ? [] : [end.array]));
    const saved = guardSaved(
      { arrays, parameters },
      { op: 'checkpointed', inputs: arrays, y: y.array },
    );
    const node = new GraphNode('checkpointed', y.shape, edges, {
      saved,
      needed: edges.map((edge) => edge !== null),
      backward: (gradOut) => {
        for (const { storage } of saved.parameters) storage.source.read();
        return withMemoryScope(
          () => recompute(gradOut),
          (gradients) => gradients.flatMap((gradient) => gradient?.storage ?? []),
        );
      },
    });
    function recompute(gradOut: NdArray): (NdArray | null)[] {
      const again = withGrad(() =>
        asRepetition(() => repeatDraws(before, () => runOnLeaves(run, saved.arrays, needed))),
      );
      if (!again.y.requiresGrad || again.ends.some((end, i) => end !== ends[i])) {
        throw new AutogradError(
          'checkpointed: the second call of the function computed something else than the first; it ' +
            'must not depend on anything that changes',
        );
      }
      const found = new Map<Target, NdArray>();
      const targets = new Set<Target>([...again.leaves, ...again.ends]);
      runBackward(again.y.node ?? again.y, gradOut, {
        targets,
        endsThere: true,
        deliver(target, gradient) {
          gradient.storage.escape();
          found.set(target, gradient);
        },
      });
      return [...again.leaves, ...again.ends].map((target) => found.get(target) ?? null);
    }
    return new Tensor(y.array, { requiresGrad: true, node });
  };
}
