import { soakTest } from '../soak/soakTest.ts';

// One round shows that the soak itself works, and a fault that is common; test/lab has 200 of each for those that are rare.
soakTest({ seed: 1, kills: 6, cuts: 6, killsPerRound: 8 });
