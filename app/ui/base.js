// Where the server is: Streamlit would otherwise ask for it below the address of the page, get no answer, and say so.
window.__streamlit = { BACKEND_BASE_URL: new URL(".", document.currentScript.src).href };
