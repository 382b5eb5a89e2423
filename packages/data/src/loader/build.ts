import { ValueError } from '@firelight/tensor';
import type { Recipe } from '../core/recipe.ts';

/** What a module exports, by name. */
export type Offered = Readonly<Record<string, unknown>>;

/**
 * Makes what a recipe says, of its own module or, if it names none, of those `offered`.
 *
 * @throws ValueError if there is no such class
 */
export async function build(recipe: Recipe, offered: Offered): Promise<unknown> {
  const { name, module, args } = recipe;
  const source: Offered =
    module === undefined
      ? offered
      : await import(/* @vite-ignore */ /* webpackIgnore: true */ module);
  const Class = Object.hasOwn(source, name) ? source[name] : undefined;
  if (typeof Class !== 'function') {
    throw new ValueError(
      `a recipe asks for '${name}' of ${module ?? '@firelight/data'}, which has none`,
    );
  }
  return new (Class as new (...args: unknown[]) => object)(
    ...(await Promise.all(args.map((argument) => buildIn(argument, offered)))),
  );
}

/** An argument with the recipes in it made. */
async function buildIn(argument: unknown, offered: Offered): Promise<unknown> {
  if (Array.isArray(argument) && argument.some(isRecipe)) {
    return Promise.all(argument.map((member) => buildIn(member, offered)));
  }
  return isRecipe(argument) ? build(argument, offered) : argument;
}

function isRecipe(value: unknown): value is Recipe {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'args' in value &&
    Array.isArray(value.args)
  );
}
