import { runProgram } from '#host/cli/program.ts';
import { controllerProgram, SHORTCUTS } from './cli/program.ts';

process.exitCode = await runProgram(controllerProgram(), process.argv.slice(2), SHORTCUTS);
