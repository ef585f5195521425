// The page before a document: one press, and the portal's own page opens.

import { armForm } from './press.js';

armForm();
