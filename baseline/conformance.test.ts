/** Holds the `baseline` build to what every build owes its callers. */
import { conformance } from '../src/server/conformance.js';
import { baseline } from './controller.js';

conformance(baseline);
