// Gradients: what backward computes, how it is checked, and how it is left out.
import { gradCheck, log, mul, noGrad, sum, type Tensor, tensor } from '@firelight/tensor';

// f(x) = Σ xᵢ² · log xᵢ, so ∂f/∂xᵢ = 2 xᵢ log xᵢ + xᵢ.
const f = (x: Tensor): Tensor => sum(mul(mul(x, x), log(x)));

const x = tensor([1, 2, 3], { requiresGrad: true });
const y = f(x);
y.backward();
const expected = Array.from(x.data, (value) => 2 * value * Math.log(value) + value);
console.log('f(x) ', y.item());
console.log('∂f/∂x', Array.from(x.grad?.data ?? []));
console.log('by hand', expected);

// gradCheck compares with differences (f(x + h) − f(x − h)) / 2h, in float64, and throws if they differ.
gradCheck((value) => f(value), [tensor([0.5, 1.5, 2.5], { dtype: 'float64' })]);
console.log('gradCheck: right');

// Thirty steps downhill. noGrad records nothing, so the step itself has no gradient.
let at = tensor([2], { requiresGrad: true });
for (let step = 0; step < 30; step++) {
  f(at).backward();
  const slope = at.grad?.item() ?? 0;
  at = noGrad(() => tensor([at.item() - 0.1 * slope], { requiresGrad: true }));
}
console.log('minimum near', at.item().toFixed(3), 'which is 1 / √e =', Math.exp(-0.5).toFixed(3));
