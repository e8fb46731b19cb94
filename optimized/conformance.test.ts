/** Holds the `optimized` build to what every build owes its callers. */
import { conformance } from '../src/server/conformance.js';
import { optimized } from './controller.js';

conformance(optimized);
