/**
 * What `python -m digits.page` wrote into the page: the numbers of every Python module that has a twin here, what the
 * cards say, and the words of the live window. No number of the Python side is written down a second time.
 */

export const settings = globalThis.SETTINGS ?? JSON.parse(document.getElementById("settings").textContent);
export const numbers = settings.numbers; // module -> name in capitals, without the underscore -> value
