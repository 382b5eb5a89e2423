import { drawChart } from './chart.ts';

/** How many images of each class (rows) were taken for each class (columns), as SVG. */
export function drawConfusion(
  matrix: readonly (readonly number[])[],
  classNames: readonly string[],
): Promise<string> {
  const rows = matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const cells = matrix.flatMap((row, truth) =>
    row.map((count, predicted) => ({
      value: [predicted, truth, rows[truth] === 0 ? 0 : count / rows[truth]],
      // White on the dark cells.
      label: { color: count > rows[truth] / 2 ? '#ffffff' : '#000000', formatter: String(count) },
    })),
  );
  return drawChart(
    {
      title: { text: 'predicted', left: 'center', top: 8, textStyle: { fontSize: 14 } },
      grid: { left: 110, right: 20, top: 90, bottom: 20 },
      xAxis: {
        type: 'category',
        data: [...classNames],
        position: 'top',
        axisLabel: { rotate: 40, interval: 0 },
      },
      yAxis: {
        type: 'category',
        data: [...classNames],
        inverse: true,
        name: 'truth',
        nameLocation: 'middle',
        nameGap: 86,
        axisLabel: { interval: 0 },
      },
      visualMap: { show: false, min: 0, max: 1, inRange: { color: ['#ffffff', '#0645d6'] } },
      series: [{ type: 'heatmap', data: cells, label: { show: true } }],
    },
    { width: 760, height: 720 },
  );
}
