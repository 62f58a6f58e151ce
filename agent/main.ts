import { runProgram } from '#host/cli/program.ts';
import { agentProgram } from './cli/program.ts';

process.exitCode = await runProgram(agentProgram(), process.argv.slice(2));
