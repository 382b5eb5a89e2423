/**
 * Milliseconds after which the event loop gets a turn. The clock is looked at between images, so with
 * what one of them takes it stays under the 100 that are promised.
 */
const TURN_MILLISECONDS = 25;

/** When the loop last had its turn; of the thread, since a thread has one loop. */
let lastTurn = performance.now();

/**
 * Lets timers, signals, input and finalizers run if they had no occasion for a while, which awaiting
 * ready promises does not give them; null if there is nothing to wait for, which costs a look at the
 * clock.
 */
export function giveTurn(): Promise<void> | null {
  return performance.now() - lastTurn < TURN_MILLISECONDS ? null : turn();
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    // A message, since browsers hold timers that are set again and again back for milliseconds.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  lastTurn = performance.now();
}
