/** `230 ms`, `2.3 s`, `1 min 53 s`, `3 h 5 min`, `2 d 4 h`: short, and no more exact than it is. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How many in a second: `140`, `8.5`, `0.02`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 10) return perSecond.toFixed(0);
  return perSecond >= 1 ? perSecond.toFixed(1) : String(Number(perSecond.toPrecision(1)));
}
