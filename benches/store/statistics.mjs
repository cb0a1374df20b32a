/** The median, the mean and the 95th percentile of times, in milliseconds, and how many there are. */
export function statistics(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))];
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length;
  return {median: at(0.5), mean, p95: at(0.95), count: sorted.length};
}
