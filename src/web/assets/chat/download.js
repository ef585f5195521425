// Hands a text to the person as a file. The copy behind its address is given up as soon as it may be.

/** By then every browser has read it. */
const KEPT_MS = 10_000;

/** @type {string | null} */
let address = null;
let timer = 0;

/** @param {string} name @param {string} text */
export function download(name, text) {
  forgetDownload();
  address = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  timer = setTimeout(forgetDownload, KEPT_MS);
}

export function forgetDownload() {
  clearTimeout(timer);
  if (address) URL.revokeObjectURL(address);
  address = null;
}
