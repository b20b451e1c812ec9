// Runs in the head of every page, before require.js, the widget manager and MathJax.

// The widget manager takes its fonts from require.js's base address: the folder of what was vendored.
window.require = { baseUrl: `${document.documentElement.dataset.content_root}_static/vendor` };

// Widgets typeset their labels through MathJax 2's queue; MathJax 3 has a promise instead.
document.addEventListener("DOMContentLoaded", () => {
  if (window.MathJax && !MathJax.Hub) {
    MathJax.Hub = { Queue: ([, , element]) => MathJax.startup.promise.then(() => MathJax.typesetPromise([element])) };
  }
});
