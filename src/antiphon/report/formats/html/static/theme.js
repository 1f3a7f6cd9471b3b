'use strict';
// Dark or light, as the system says it until somebody chooses.

function flipTheme() {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme === 'dark' || (!dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  dataset.theme = isDark ? 'light' : 'dark';
}
