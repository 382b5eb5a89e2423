/** What V8 made of one function: pairs of 128-bit operations become one of 256 bits. */
export interface Packing {
  readonly name: string;
  /** Operations of 256 bits; 0 where nothing was packed. */
  packed: number;
  /** Pairs of neighbouring stores or sums from which V8 went backwards through what they need. */
  seeds: number;
  /** Why seeds were given up, each reason with how often. */
  readonly reasons: Map<string, number>;
}

const NODE_COUNT = /Decided? to vectorize, (\d+) revectorizable (?:intersect )?nodes/;
const SAVINGS = /Save: (\d+), cost: (\d+)/;

/** A message about given nodes as one about any, without its place in V8's sources. */
function reasonIn(message: string): string {
  if (message === '') return 'V8 does not say why';
  const packed = /NewPackNode \d+: PackNode (.+)\(#/.exec(message);
  // This went well, and of what did not, V8 says nothing.
  if (packed !== null) return `an operand of ${packed[1]}; V8 does not say why`;
  return message.replace(/^Revec: \S+ \d+: /, '').replaceAll(/#\d+/g, '#');
}

function newPacking(name: string): Packing {
  return { name, packed: 0, seeds: 0, reasons: new Map() };
}

/**
 * Reads what V8 13 and 14 print with `--trace-wasm-revectorize`, if functions are compiled one by
 * one. Functions without vectors are not in it; of those that are compiled twice, the last counts.
 *
 * @see src/compiler/turboshaft/wasm-revec-reducer.cc in V8
 */
export function readTrace(trace: string): Packing[] {
  const byName = new Map<string, Packing>();
  let current: Packing = newPacking('');
  let lastMessage = '';
  const giveUp = (reason: string): void => {
    current.reasons.set(reason, (current.reasons.get(reason) ?? 0) + 1);
  };
  for (const line of trace.split('\n')) {
    const name = /^Begin revec function (.+)$/.exec(line)?.[1];
    if (name !== undefined) {
      current = newPacking(name);
      byName.set(name, current);
    }
    const failed = line.endsWith('tree failed!');
    const savings = SAVINGS.exec(line);
    // Stores take several lines, sums one.
    if (line.startsWith('{')) current.seeds++;
    else if (failed) giveUp(reasonIn(lastMessage));
    else if (savings !== null && Number(savings[1]) <= Number(savings[2])) {
      giveUp(`it would save ${savings[1]} operations and cost ${savings[2]}`);
    }
    current.packed += Number(NODE_COUNT.exec(line)?.[1] ?? 0);
    if (line.startsWith('Revec: ')) lastMessage = failed ? '' : line;
  }
  return [...byName.values()];
}
