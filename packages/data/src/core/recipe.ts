import { ValueError } from '@firelight/tensor';
import { isPlainObject } from '@firelight/tensor/extend';

/**
 * How a worker thread makes an equal object: it calls the constructor called `name` with `args`.
 * Transforms and data sets of this package have one, and so has what `defineTransform` makes; give a
 * class of your own a method `recipe` with the `module` that exports it, such as `import.meta.url`.
 */
export interface Recipe {
  readonly name: string;
  /** Address of the module that exports the class; none for those of this package. */
  readonly module?: string;
  /** Arguments that can be cloned between threads; recipes in them, or in lists, are made first. */
  readonly args: readonly unknown[];
}

/** What worker threads can make again. */
export interface HasRecipe {
  /** How a worker thread makes an equal one. */
  recipe(): Recipe;
}

function withoutRecipe(value: object): ValueError {
  const name =
    typeof value === 'function' ? `function ${value.name}`.trim() : value.constructor.name;
  return new ValueError(
    `batches: worker threads cannot make '${name}', since it has no recipe; define it by ` +
      'defineTransform, make it a class with a method recipe() that names its module, or take workers: 0',
  );
}

/**
 * The recipe of a transform or data set.
 *
 * @throws ValueError if it has none, as a function
 */
export function recipeOf(value: object): Recipe {
  if ('recipe' in value && typeof value.recipe === 'function') return value.recipe();
  throw withoutRecipe(value);
}

/** Arguments as they are now, whatever happens to lists and options afterwards. */
function snapshot(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snapshot);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, snapshot(member)]));
}

/** Whether an argument, which may be a list, has steps in it that need recipes of their own. */
function isStep(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && !!value && 'apply' in value);
}

function argumentOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(argumentOf);
  return isStep(value) ? recipeOf(value) : value;
}

/** A class that was defined by its name and by what it makes of its arguments. */
export type DefinedClass<Args extends readonly unknown[], Members> = new (
  ...args: Args
) => Readonly<Members> & HasRecipe;

/**
 * The class called `name` whose objects have the members that `make` gives. It remembers the
 * arguments, so its recipe need not be written. A subclass has another name and other code: it must
 * bring a recipe of its own.
 *
 * @param module address of the module that exports it under this name; none for this package
 */
export function defineClass<Args extends readonly unknown[], Members extends object>(
  name: string,
  make: (...args: Args) => Members,
  module?: string,
): DefinedClass<Args, Members> {
  class Defined implements HasRecipe {
    readonly #args: unknown;

    constructor(...args: Args) {
      Object.assign(this, make(...args));
      this.#args = snapshot(args);
    }

    recipe(): Recipe {
      if (this.constructor !== Defined) throw withoutRecipe(this);
      const args = argumentOf(this.#args) as unknown[]; // The list that the constructor took.
      return module === undefined ? { name, args } : { name, module, args };
    }
  }
  Object.defineProperty(Defined, 'name', { value: name });
  return Defined as unknown as DefinedClass<Args, Members>; // `Object.assign` gives it the members.
}
