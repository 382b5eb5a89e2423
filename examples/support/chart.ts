import type { EChartsOption } from 'echarts';

/** A chart as SVG, drawn without a browser. */
export async function drawChart(
  options: EChartsOption,
  { width, height }: { readonly width: number; readonly height: number },
): Promise<string> {
  const { init } = await import('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ ...options, animation: false });
    return chart.renderToSVGString();
  } finally {
    chart.dispose(); // Its timers would keep the process alive.
  }
}
