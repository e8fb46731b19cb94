/** Waiting in tests of real processes: for a condition, never for a while. */
export { until } from '../../lib/until.js';
