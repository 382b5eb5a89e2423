import { drawChart } from './chart.ts';

export interface CurveStep {
  readonly step: number;
  readonly loss: number;
  readonly learningRate: number;
}

export interface CurveEpoch {
  /** The last step of the epoch. */
  readonly step: number;
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** The smooth line is the mean over this share of all steps. */
const WINDOW_SHARE = 1 / 50;
/** Points of a line; more could not be seen. */
const MOST_POINTS = 1000;

function movingMean(steps: readonly CurveStep[], window: number): [number, number][] {
  let sum = 0;
  return steps.map(({ step, loss }, i) => {
    sum += loss;
    if (i >= window) sum -= steps[i - window].loss;
    return [step, sum / Math.min(i + 1, window)];
  });
}

function thinned<Point>(points: readonly Point[]): Point[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

/** Loss, accuracy of the validation and learning rate over the steps, one above the other, as SVG. */
export function drawCurves({
  steps,
  epochs,
}: {
  readonly steps: readonly CurveStep[];
  readonly epochs: readonly CurveEpoch[];
}): Promise<string> {
  const last = steps.reduce((most, { step }) => Math.max(most, step), 1);
  const window = Math.max(1, Math.round(steps.length * WINDOW_SHARE));
  const titles = ['loss', 'accuracy of the validation', 'learning rate'];
  const tops = [50, 260, 470];
  const height = 150;
  const validated = epochs.flatMap(({ step, metrics: { accuracy } }) =>
    typeof accuracy === 'number' ? [[step, accuracy]] : [],
  );
  return drawChart(
    {
      title: titles.map((text, i) => ({
        text,
        left: 60,
        top: tops[i] - 36,
        textStyle: { fontSize: 14 },
      })),
      grid: tops.map((top) => ({ left: 60, right: 30, top, height })),
      xAxis: tops.map((_, gridIndex) => ({
        gridIndex,
        type: 'value' as const,
        min: 0,
        max: last,
        ...(gridIndex === 2 ? { name: 'step', nameLocation: 'middle' as const, nameGap: 28 } : {}),
      })),
      yAxis: tops.map((_, gridIndex) => ({ gridIndex, type: 'value' as const, scale: true })),
      series: [
        {
          type: 'line',
          name: 'each step',
          data: thinned(steps.map(({ step, loss }) => [step, loss])),
          showSymbol: false,
          lineStyle: { width: 0.6, color: '#9db8e8' },
          itemStyle: { color: '#9db8e8' },
        },
        {
          type: 'line',
          name: `mean of ${window}`,
          data: thinned(movingMean(steps, window)),
          showSymbol: false,
          lineStyle: { width: 2, color: '#0645d6' },
          itemStyle: { color: '#0645d6' },
        },
        {
          type: 'line',
          xAxisIndex: 1,
          yAxisIndex: 1,
          data: validated,
          lineStyle: { color: '#1a7f37' },
          itemStyle: { color: '#1a7f37' },
          label: { show: true, formatter: ({ data }) => percent((data as number[])[1]) },
        },
        {
          type: 'line',
          xAxisIndex: 2,
          yAxisIndex: 2,
          data: thinned(steps.map(({ step, learningRate }) => [step, learningRate])),
          showSymbol: false,
          lineStyle: { color: '#8250df' },
        },
      ],
      legend: { data: ['each step', `mean of ${window}`], right: 30, top: 14 },
    },
    { width: 800, height: 680 },
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
