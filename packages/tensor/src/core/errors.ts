import { printable } from './messages.ts';
import { formatShape, type Shape } from './shape.ts';

/**
 * Base of every error that Firelight throws on purpose; catch it to tell our errors from bugs. Its
 * message is printable, whatever stood in the file or path that it is about.
 */
export class FirelightError extends Error {
  override name = 'FirelightError';

  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}

/** Shapes, ranks or axes that do not fit an operation. */
export class ShapeError extends FirelightError {
  override name = 'ShapeError';
}

/** A dtype that an operation does not accept. */
export class DTypeError extends FirelightError {
  override name = 'DTypeError';
}

/** An argument outside its range, or a combination of arguments that has no meaning. */
export class ValueError extends FirelightError {
  override name = 'ValueError';
}

/** A backend that is unknown or cannot run here. */
export class BackendError extends FirelightError {
  override name = 'BackendError';
}

/** A gradient that was asked for where there is none, or one that fails `gradCheck`. */
export class AutogradError extends FirelightError {
  override name = 'AutogradError';
}

/** A file of a format that is cut, damaged, of another kind, or asks for what is not read here. */
export class FormatError extends FirelightError {
  override name = 'FormatError';
}

/** A tensor whose storage was already given back. */
export class ReleasedError extends FirelightError {
  override name = 'ReleasedError';
}

/**
 * One line per operand, aligned, for the second part of a shape error:
 *
 *     input  [32, 3, 32, 32]  as [N, C, H, W]
 *     weight [64, 16, 3, 3]   as [O, I, kH, kW]
 */
function describeOperands(
  operands: Readonly<Record<string, { shape: Shape; layout?: string }>>,
): string {
  const rows = Object.entries(operands).map(([name, { shape, layout }]) => ({
    name,
    shape: formatShape(shape),
    layout: layout === undefined ? '' : `as [${layout}]`,
  }));
  const nameWidth = rows.reduce((widest, { name }) => Math.max(widest, name.length), 0);
  const shapeWidth = rows.reduce((widest, { shape }) => Math.max(widest, shape.length), 0);
  return rows
    .map((row) => {
      const line = `  ${row.name.padEnd(nameWidth)} ${row.shape.padEnd(shapeWidth)}  ${row.layout}`;
      return line.trimEnd();
    })
    .join('\n');
}

/** A `ShapeError` in the house form: `op: rule`, then the operands with their full shapes. */
export function shapeError(
  op: string,
  rule: string,
  operands: Readonly<Record<string, { shape: Shape; layout?: string }>> = {},
): ShapeError {
  const details = Object.keys(operands).length > 0 ? `\n${describeOperands(operands)}` : '';
  return new ShapeError(`${op}: ${rule}${details}`);
}
