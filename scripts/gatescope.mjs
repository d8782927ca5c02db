#!/usr/bin/env node
/** The `gatescope` command for whatever Node it is started with: sets up where needed and runs main/cli/gatescope.ts. */
import { gatescope } from './launch.mjs';

await gatescope(process.argv.slice(2));
