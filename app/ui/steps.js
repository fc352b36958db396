// One entry in the browser's history for each step that a person takes: what Streamlit adds to it otherwise changes the
// entry that is there. It adds two for a change of pages with parameters, and one for each correction of an address.
(() => {
  if (window.countsSteps) return;
  window.countsSteps = true;
  let acted = false;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (acted = true), true);
  addEventListener("popstate", () => (acted = false), true);
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  history.pushState = (...entry) => {
    (acted ? push : replace)(...entry);
    acted = false;
  };
})();
