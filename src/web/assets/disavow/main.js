// The page behind "this was not me": one press, and the bot falls silent for that number.

import { armForm } from '../link/press.js';

armForm();
