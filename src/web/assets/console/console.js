// The officers' console with scripts on: live pages, keys, a warning before text is lost. Without them every page still works.

import { watch } from './live.js';
import { prepareAlerts, heed } from './alert.js';
import { prepareForms } from './forms.js';
import { prepareKeys } from './keys.js';

prepareForms();
prepareKeys();
prepareAlerts();
watch({ swapped: heed });

for (const button of document.querySelectorAll('[data-print]')) {
  button.removeAttribute('hidden');
  button.addEventListener('click', () => window.print());
}
