/**
 * Makes a failing input smaller: drops parts while the failure stays.
 *
 * @source Zeller & Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), ddmin
 */

/**
 * @param fails whether the run still fails with only these parts; called at most `triesMax` times.
 * @returns the parts that are left; no single one of them can be dropped, unless tries ran out.
 */
export async function shrink<Part>(
  parts: readonly Part[],
  fails: (parts: readonly Part[]) => Promise<boolean>,
  triesMax: number,
): Promise<readonly Part[]> {
  let left = parts;
  let tries = 0;
  let pieces = 2;
  // Nothing at all may be enough.
  if (left.length > 0 && triesMax > 0) {
    tries += 1;
    if (await fails([])) return [];
  }
  while (left.length >= 2 && tries < triesMax) {
    const size = Math.ceil(left.length / pieces);
    let dropped = false;
    for (let at = 0; at < left.length && tries < triesMax; at += size) {
      const rest = [...left.slice(0, at), ...left.slice(at + size)];
      tries += 1;
      if (await fails(rest)) {
        left = rest;
        pieces = Math.max(2, pieces - 1);
        dropped = true;
        break;
      }
    }
    if (dropped) continue;
    if (size === 1) break;
    pieces = Math.min(left.length, pieces * 2);
  }
  return left;
}
