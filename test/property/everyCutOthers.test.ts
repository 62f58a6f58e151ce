import { cutEverywhere } from '../support/everyCut/cutEverywhere.ts';
import { OTHERS } from '../support/everyCut/scenarioNames.ts';

cutEverywhere(OTHERS, 1_320);
