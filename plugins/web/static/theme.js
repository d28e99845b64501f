// Before anything is drawn: light or dark as Airflow is set, which keeps it under "theme"; as the system is, otherwise.
(() => {
  const apply = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // No storage: the system decides.
    }
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  };
  apply();
  addEventListener("storage", apply);
})();
