import { cutEverywhere } from '../support/trials/cutEverywhere.ts';
import { DELIVERIES } from '../support/trials/scenarioNames.ts';

cutEverywhere(DELIVERIES, 700);
