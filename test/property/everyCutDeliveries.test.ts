import { cutEverywhere, DELIVERIES } from '../support/everyCut/cutEverywhere.ts';

cutEverywhere((scenario) => DELIVERIES.has(scenario));
