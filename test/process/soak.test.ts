import { soakTest } from '../soak/soakTest.ts';

// Two rounds show a fault that is common; test/lab has 200 of each for those that are rare.
soakTest({ seed: 1, kills: 30, cuts: 30, killsPerRound: 20 });
