/**
 * Plants the mutant that the environment names, in the process that loads this file first
 * (`node --import`). Nothing that ships imports it.
 */
import { register } from 'node:module';
import { mutants } from './table.js';

const name = process.env['QUORUMARK_MUTANT'];
const mutant = mutants.find((known) => known.name === name);
if (mutant === undefined) throw new Error(`no mutant is named ${name}`);
register('./hooks.js', import.meta.url, { data: mutant });
