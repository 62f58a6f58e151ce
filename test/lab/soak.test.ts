import { soakTest } from '../soak/soakTest.ts';

// As many as the product promises to stand; other seeds and longer runs come with `npm run soak`.
soakTest({ seed: 1, kills: 200, cuts: 200, killsPerRound: 34 });
