// Runs in the head of every page, before require.js, the widget manager and MathJax.

// The widget manager takes its fonts from require.js's base address: the folder of what was vendored.
window.require = { baseUrl: `${document.documentElement.dataset.content_root}_static/vendor` };

// Widgets typeset their labels through MathJax 2's queue; MathJax 3 has a promise instead.
document.addEventListener("DOMContentLoaded", () => {
  if (window.MathJax && !MathJax.Hub) {
    MathJax.Hub = { Queue: ([, , element]) => MathJax.startup.promise.then(() => MathJax.typesetPromise([element])) };
  }
});

// From file:// a browser may not fetch the pages that were found: their titles have to do.
document.addEventListener("DOMContentLoaded", () => {
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
});

// What the theme leaves unnamed for a screen reader, or names by an outdated role.
document.addEventListener("DOMContentLoaded", () => {
  const all = (selector) => document.querySelectorAll(selector);
  // these say what they are in their text
  all(".search-button-field, details.hide > summary").forEach((element) => element.removeAttribute("aria-label"));
  all(".theme-switch-button").forEach((button) => {
    button.setAttribute("aria-label", "Color mode: Light, Dark, System Settings");
  });
  all("#pst-primary-sidebar").forEach((bar) => {
    bar.setAttribute("role", "navigation");
    bar.setAttribute("aria-label", "Site");
  });
  all("li.has-children > details > summary").forEach((summary) => {
    const title = summary.closest("li").querySelector("a").textContent.trim();
    summary.setAttribute("aria-label", `Chapters of ${title}`);
  });
  all(".citation-list, .citation").forEach((entry) => entry.removeAttribute("role"));
});

// Sliders of ipywidgets are drawn later, with a label beside them that is not theirs for a screen reader.
new MutationObserver(() => {
  document.querySelectorAll(".noUi-handle:not([aria-label])").forEach((handle) => {
    const label = handle.closest(".widget-slider")?.querySelector(".widget-label")?.textContent.trim();
    handle.setAttribute("aria-label", label || "value");
  });
}).observe(document.documentElement, { childList: true, subtree: true });
