import { test } from 'vitest';
import { findBinary } from '../../src/binaries/binaries.ts';
import { OF_DAYS, passesSuite } from '../support/suites.ts';

const promtool = await findBinary('promtool');

test.each(OF_DAYS)('%s.test.yml passes', (name) => passesSuite(promtool, name));
