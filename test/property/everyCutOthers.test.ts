import { cutEverywhere } from '../support/trials/cutEverywhere.ts';
import { OTHERS } from '../support/trials/scenarioNames.ts';

cutEverywhere(OTHERS, 1_320);
