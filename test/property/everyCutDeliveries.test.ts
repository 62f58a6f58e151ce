import { cutEverywhere } from '../support/everyCut/cutEverywhere.ts';
import { DELIVERIES } from '../support/everyCut/scenarioNames.ts';

cutEverywhere(DELIVERIES, 700);
