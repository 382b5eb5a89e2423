import type { Tensor } from '../autograd/tensor.ts';
import { expectThat } from '../core/checks.ts';
import { describeValue } from '../core/describe.ts';
import { isFloating, promote } from '../core/dtype.ts';
import { shapeError, ValueError } from '../core/errors.ts';
import { elementCount } from '../core/shape.ts';
import { broadcastTo } from './broadcast-to.ts';
import { cast } from './cast.ts';
import { matmul } from './matmul.ts';
import { asTensorList, type TensorLike } from './operands.ts';
import { permute } from './permute.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { diagonal } from './select.ts';

/** A tensor whose axes have names. */
interface Named {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
}

/** Letters of one operand; axes under an ellipsis are named `.1`, `.2`, … from the last one on. */
function axesOf(term: string, rank: number, equation: string): string[] {
  const parts = term.split('...');
  if (parts.length > 2 || !/^[a-zA-Z]*$/.test(parts.join(''))) {
    throw new ValueError(
      `einsum: '${term}' in '${equation}' must be letters, with '...' at most once`,
    );
  }
  const hidden = parts.length === 2 ? rank - parts.join('').length : 0;
  const ellipsis = Array.from({ length: Math.max(0, hidden) }, (_, i) => `.${hidden - i}`);
  return [...parts[0], ...ellipsis, ...(parts[1] ?? '')];
}

/** Names the axes of an operand. */
function named(tensor: Tensor, term: string, place: number, equation: string): Named {
  const axes = axesOf(term, tensor.rank, equation);
  if (axes.length !== tensor.rank) {
    const rule = `'${term}' names ${axes.length} axes of operand ${place}, which has ${tensor.rank}`;
    throw shapeError('einsum', rule, { [`operand ${place}`]: tensor });
  }
  return { tensor, axes };
}

/** Takes the diagonals of axes that have one name, so that each has its own. */
function withoutDoubles({ tensor, axes }: Named): Named {
  const axis2 = axes.findIndex((axis, i) => axes.indexOf(axis) < i);
  if (axis2 === -1) return { tensor, axes };
  const letter = axes[axis2];
  const axis1 = axes.indexOf(letter);
  const others = axes.filter((_, i) => i !== axis1 && i !== axis2);
  return withoutDoubles({ tensor: diagonal(tensor, { axis1, axis2 }), axes: [...others, letter] });
}

/** The same tensor with its axes in the order of `axes`; those that it does not have get length 1. */
function arranged({ tensor, axes }: Named, order: readonly string[]): Tensor {
  const present = order.filter((axis) => axes.includes(axis));
  const moved = permute(
    tensor,
    present.map((axis) => axes.indexOf(axis)),
  );
  const lengths = moved.shape.values();
  return reshape(
    moved,
    order.map((axis) => (axes.includes(axis) ? (lengths.next().value as number) : 1)),
  );
}

/** Sums over axes that nobody else needs. */
function reduced({ tensor, axes }: Named, needed: ReadonlySet<string>): Named {
  const gone = axes.flatMap((axis, i) => (needed.has(axis) ? [] : [i]));
  if (gone.length === 0) return { tensor, axes };
  return { tensor: sum(tensor, gone), axes: axes.filter((axis) => needed.has(axis)) };
}

/** The product of two operands as one of matrices, summed over what only they have. */
function contracted(a: Named, b: Named, needed: ReadonlySet<string>): Named {
  const shared = a.axes.filter((axis) => b.axes.includes(axis));
  const batch = shared.filter((axis) => needed.has(axis));
  const inner = shared.filter((axis) => !needed.has(axis));
  const left = a.axes.filter((axis) => !shared.includes(axis));
  const right = b.axes.filter((axis) => !shared.includes(axis));
  const ownLength = ({ tensor, axes }: Named, axis: string): number =>
    tensor.shape[axes.indexOf(axis)] ?? 1;
  // Lengths of 1 under an ellipsis stretch, also to none: matmul does so for leading axes.
  const lengthOf = (axis: string): number => {
    const own = ownLength(a, axis);
    return own === 1 ? ownLength(b, axis) : own;
  };
  const matrix = (operand: Named, rows: readonly string[], columns: readonly string[]): Tensor => {
    const order = [...batch, ...rows, ...columns];
    const own = batch.map((axis) => ownLength(operand, axis));
    const [height, width] = [rows, columns].map((axes) => axes.map(lengthOf));
    const stretched = broadcastTo(arranged(operand, order), [...own, ...height, ...width]);
    return reshape(stretched, [...own, elementCount(height), elementCount(width)]);
  };
  const product = matmul(matrix(a, left, inner), matrix(b, inner, right));
  const axes = [...batch, ...left, ...right];
  return { tensor: reshape(product, axes.map(lengthOf)), axes };
}

/** Every letter has one length; axes under an ellipsis broadcast. */
function checkLengths(operands: readonly Named[]): void {
  const lengths = new Map<string, { length: number; place: number }>();
  operands.forEach(({ tensor, axes }, place) => {
    axes.forEach((axis, i) => {
      const length = tensor.shape[i];
      const known = lengths.get(axis);
      const fits = known === undefined || known.length === length;
      const stretches = axis.startsWith('.') && (length === 1 || known?.length === 1);
      if (!fits && !stretches) {
        const what = axis.startsWith('.') ? "under '...'" : `'${axis}'`;
        throw shapeError(
          'einsum',
          `axis ${what} has length ${known.length} in operand ${known.place}, ${length} in operand ${place}`,
          {
            [`operand ${known.place}`]: operands[known.place].tensor,
            [`operand ${place}`]: tensor,
          },
        );
      }
      if (known === undefined || known.length === 1) lengths.set(axis, { length, place });
    });
  });
}

function outputAxes(
  output: string | undefined,
  operands: readonly Named[],
  equation: string,
): string[] {
  const all = operands.flatMap(({ axes }) => axes);
  const hidden = [...new Set(all.filter((axis) => axis.startsWith('.')))].sort(
    (a, b) => Number(b.slice(1)) - Number(a.slice(1)),
  );
  if (output === undefined) {
    const once = [...new Set(all)].filter(
      (axis) => !axis.startsWith('.') && all.filter((other) => other === axis).length === 1,
    );
    return [...hidden, ...once.sort()];
  }
  const axes = axesOf(output, 0, equation);
  const unknown = axes.find((axis) => !all.includes(axis));
  if (unknown !== undefined || new Set(axes).size !== axes.length) {
    const rule =
      unknown === undefined ? 'names an axis twice' : `names '${unknown}', which no operand has`;
    throw new ValueError(`einsum: the result '${output}' of '${equation}' ${rule}`);
  }
  const at = output.indexOf('...');
  return at === -1 ? axes : [...axes.slice(0, at), ...hidden, ...axes.slice(at)];
}

/**
 * Sums of products by names of axes: `einsum('bij,bjk->bik', a, b)` is a matrix product. Axes with one
 * letter go together; letters that are not in the result are summed over; a letter twice in one operand
 * takes its diagonal. Without `->`, the result has the letters that occur once, in alphabetical order;
 * `...` stands for leading axes, which broadcast. Operands are contracted from left to right.
 *
 * @throws ValueError for an equation that is none; ShapeError if letters do not fit the axes or lengths
 *   differ; DTypeError for what is no tensor
 * @see numpy.einsum
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  expectThat(typeof equation === 'string', 'einsum', 'equation', 'text', equation);
  const [inputs, output, ...more] = equation.replaceAll(/\s/g, '').split('->');
  const terms = inputs.split(',');
  if (more.length > 0 || terms.length !== operands.length) {
    throw new ValueError(
      `einsum: ${describeValue(equation)} must name the axes of ${operands.length} operands`,
    );
  }
  const tensors = asTensorList('einsum', operands);
  const common = tensors.map(({ dtype }) => dtype).reduce(promote);
  const dtype = isFloating(common) ? common : 'int32';
  const given = tensors.map((tensor, i) => named(cast(tensor, dtype), terms[i], i, equation));
  checkLengths(given);
  const result = outputAxes(output, given, equation);
  const all = given.map(withoutDoubles);
  const neededBy = (later: readonly Named[]): ReadonlySet<string> =>
    new Set([...result, ...later.flatMap(({ axes }) => axes)]);
  let product = reduced(all[0], neededBy(all.slice(1)));
  for (let i = 1; i < all.length; i++) {
    const rest = neededBy(all.slice(i + 1));
    const next = reduced(all[i], new Set([...rest, ...product.axes]));
    product = contracted(reduced(product, new Set([...rest, ...next.axes])), next, rest);
  }
  return arranged(product, result);
}
