// The platform's clock as it is when this is loaded: a test that replaces it later means the application's
// time, not that of the messages on their way.
const {clearTimeout, performance, setTimeout} = globalThis;
const {timeOrigin} = performance;
const sinceOrigin = performance.now.bind(performance);

export function now() {
  return timeOrigin + sinceOrigin();
}

// Calls back with `true`.
export function setTimer(callback, delay) {
  const timer = setTimeout(callback, delay, true);
  // In Node, a timer that only gives up or cleans up must not keep the process alive.
  timer?.unref?.();
  return timer;
}

export function clearTimer(timer) {
  clearTimeout(timer);
}
